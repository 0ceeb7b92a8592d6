-- Traffic as it comes: every outcome, further meters, own keys, days of half an hour and of summer time, bookings that are late
-- by seconds, days and months, rolled up in pieces. Mutants: a part of usage that a rollup forgets to add, a late request that is
-- counted before it is noted.
begin;
select plan(4);
select test.make_offer(p, m) from (values ('maker', 'model-a'), ('other', 'model-a')) as o (p, m);
insert into admin.tenant (tenant, time_zone) values ('berlin', 'Europe/Berlin'), ('kolkata', 'Asia/Kolkata'), ('lord howe', 'Australia/Lord_Howe'),
('mover', 'UTC');
select test.make_customer('user of ' || t.tenant, '{}', t.tenant) from admin.tenant as t;

-- The books: each request by itself, late ones from when they are noted.
create function pg_temp.booked(p_unit text) returns jsonb language sql as $$
    select jsonb_object_agg(b.place, b.sums) from (
        select concat_ws('|', h.customer_bk, p.provider_bk, s.model_used, case p_unit
            when 'hour' then date_trunc('hour', s.request_timestamp, 'UTC') at time zone 'UTC'
            else date_trunc(p_unit, s.request_timestamp at time zone t.time_zone) end) as place,
            array[count(*), sum(s.provider_cost), sum(s.gateway_markup), sum(s.customer_cost), sum(s.house_loss), sum(s.own_key_cost), sum(
                coalesce(s.input_uncached_tokens, 0) + coalesce(s.cache_read_tokens, 0) + coalesce(s.cache_write_tokens, 0)
                + coalesce(s.output_tokens, 0) + coalesce(s.other_tokens, 0)
            )] as sums
        from gateway.api_request_s as s
        inner join gateway.customer_h as h on s.customer_hk = h.customer_hk
        inner join auth.tenant_s as t on s.tenant_hk = t.tenant_hk and t.load_end_date is null
        inner join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
        where s.request_timestamp >= s.load_date - interval '35 days'
            or s.api_request_hk in (select l.api_request_hk from gateway.late_request_s as l)
        group by 1
    ) as b;
$$;
create function pg_temp.viewed(p_view text, p_unit text) returns jsonb language sql as $$
    select test.read_as('onevault_dba', null, format(
        $q$select jsonb_object_agg(v.place, v.sums) from (
            select concat_ws('|', u.customer, u.provider, u.model, (u.usage_%2$s%3$s)::timestamp) as place,
                array[sum(u.request_count), sum(u.provider_cost_usd), sum(u.markup_usd), sum(u.customer_cost_usd), sum(u.house_loss_usd),
                    sum(u.own_key_cost_usd), sum(u.total_tokens)] as sums
            from business_vault.%1$I as u group by 1
        ) as v$q$, p_view, p_unit, case when p_unit = 'hour' then ' at time zone ''UTC''' else '' end
    ))::jsonb;
$$;
create temporary table compared (moment text, view text, agrees boolean);
create function pg_temp.compare(p_moment text) returns void language sql as $$
    insert into compared
    select p_moment, v.view, pg_temp.viewed(v.view, v.unit) = pg_temp.booked(v.unit)
    from (values ('usage_hourly', 'hour'), ('usage_daily', 'day'), ('cost_analysis', 'month')) as v (view, unit);
$$;

create function pg_temp.book(p_from timestamptz, p_to timestamptz) returns void language plpgsql as $$
declare
    -- At times when a day ends somewhere, and many at once.
    v_booked_at timestamptz := case when random() < 0.3 then p_from + (p_to - p_from) * random()
        else p_from + (array['190 minutes', '440 minutes'])[1 + floor(2 * random())::integer]::interval + random() * interval '70 minutes' end;
    v_late interval := (array['2 seconds', '1 hour', '3 days', '45 days'])[1 + floor(4 * random() ^ 2)::integer]::interval * random();
    v_status text := (array['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'VOIDED', 'UNKNOWN'])[1 + floor(9 * random())::integer];
    v_usd numeric[] := array(select case when v_status in ('VOIDED', 'UNKNOWN') then 0 else round(random()::numeric * 3, 10) end from generate_series(1, 4));
begin
    perform test.book_at(
        (select h.customer_bk from gateway.customer_h as h order by random() limit 1)::text, v_booked_at - v_late,
        jsonb_build_object(
            'provider_cost', v_usd[1], 'customer_cost', v_usd[2], 'gateway_markup', v_usd[2] - v_usd[1], 'house_loss', v_usd[3],
            'own_key_cost', v_usd[4], 'response_status', v_status, 'error_class', case when v_status <> 'SUCCESS' then 'timeout' end,
            'attempt_count', (v_status <> 'VOIDED')::integer, 'output_tokens', nullif(floor(9 * random())::integer, 0), 'cache_read_tokens', nullif(floor(3 * random())::integer, 0),
            'other_usage', '{"input_audio": {"units": 7, "usd_per_million": 1}}'::jsonb, 'other_tokens', 7
        ), '{}', case when random() < 0.6 then 'maker' else 'other' end, 'model-a', v_late
    );
end
$$;

select setseed(0.25);
do $$
declare
    v_at timestamptz := '2026-03-27 15:00Z';
    v_mark timestamptz;
begin
    for i in 1 .. 6 loop
        for j in 1 .. 25 loop
            perform pg_temp.book(v_at, v_at + interval '2 days');
        end loop;
        perform pg_temp.compare('as they come');
        v_at := v_at + interval '2 days';
        v_mark := v_at - case when i % 3 = 0 then interval '1 day' else interval '1 minute' end;
        while ops.fn_roll_up_usage(v_mark) < v_mark loop
            null;
        end loop;
        -- What comes next is under way.
        update ops.watermark set open_key = '\x' where rollup_name = 'usage';
        perform pg_temp.compare('rolled up');
        if i % 3 = 0 then
            perform ops.fn_note_late_requests('1 minute');
            perform pg_temp.compare('late ones noted');
        end if;
    end loop;
end
$$;
select is(count(*) filter (where c.agrees), 42::bigint, 'by hour, day and month it is what was booked, to the last digit')
from compared as c;
select cmp_ok((select count(*) from gateway.late_request_s), '>', 0::bigint, 'very late ones, too');

-- All that was rolled up moves with its tenant's days.
delete from compared;
select ops.fn_mend_usage();
update admin.tenant set time_zone = 'Asia/Kolkata' where tenant = 'mover';
update admin.tenant set time_zone = 'Asia/Kathmandu' where tenant = 'kolkata';
update ops.watermark set rolled_up_to = '2026-02-01' where rollup_name in ('usage', 'usage mended');
do $$
declare
    v_until timestamptz := '2026-04-09 00:00Z';
begin
    while ops.fn_roll_up_usage(v_until) < v_until loop
        null;
    end loop;
    while (select w.rolled_up_to <= v_until - interval '2 hours' from ops.watermark as w where w.rollup_name = 'usage mended') loop
        perform ops.fn_mend_usage();
    end loop;
end
$$;
select pg_temp.compare('moved');
select is(array_agg(c.view) filter (where not c.agrees), null, 'counted again after a move, too') from compared as c;
select ops.fn_roll_up_spending();
select is(
    test.read_as('onevault_dba', null, $$select jsonb_object_agg(s.customer || s.billing_period, array[
            s.total_requests, s.provider_cost_usd, s.customer_cost_usd])
        from business_vault.customer_spending as s where s.total_requests > 0$$)::jsonb,
    test.read_as('onevault_dba', null, $$select jsonb_object_agg(u.customer || u.usage_month, array[u.requests, u.cost, u.charge]) from (
        select a.customer, a.usage_month, sum(a.request_count) as requests, sum(a.provider_cost_usd) as cost, sum(a.customer_cost_usd) as charge
        from business_vault.cost_analysis as a group by 1, 2) as u$$)::jsonb, 'and what customers spent by month'
);
select * from finish();
rollback;
