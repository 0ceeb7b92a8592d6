-- This month's and the next three months' partitions of every table that grows with traffic. Should upkeep ever be
-- late, rows wait in the default partition and nothing is lost; a month whose rows lie there keeps its place
-- there. An import of history names the month in which it begins.
create or replace function ops.fn_keep_partitions(p_from timestamptz default clock_timestamp()) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_table text;
    v_key text;
    v_month timestamp;
    v_from bytea;
    v_to bytea;
    v_name text;
    v_has_rows boolean;
    v_made integer := 0;
begin
    for v_table, v_key in
        values
        ('api_request_h', 'api_request_hk'), ('api_request_s', 'api_request_hk'),
        ('api_request_attempt_s', 'api_request_hk'), ('api_request_feedback_s', 'api_request_hk'),
        ('webhook_event_h', 'webhook_event_hk'),
        ('webhook_delivery_s', 'webhook_event_hk'),
        ('usage_event_l', 'api_request_hk'), ('usage_event_delivery_s', 'api_request_hk')
    loop
        for v_month in
            select generate_series(
                date_trunc('month', p_from at time zone 'UTC'),
                date_trunc('month', clock_timestamp() at time zone 'UTC') + interval '3 months', interval '1 month'
            )
        loop
            v_name := v_table || to_char(v_month, '"_"YYYY"_"MM');
            continue when to_regclass(format('gateway.%I', v_name)) is not null;
            v_from := util.fn_request_key_at(v_month at time zone 'UTC');
            v_to := util.fn_request_key_at((v_month + interval '1 month') at time zone 'UTC');
            execute format(
                'select exists (select from gateway.%1$I where %2$I >= %3$L and %2$I < %4$L)',
                v_table || '_default', v_key, v_from, v_to
            ) into v_has_rows;
            continue when v_has_rows;
            execute format(
                'create table gateway.%I partition of gateway.%I for values from (%L) to (%L)', v_name, v_table, v_from, v_to
            );
            v_made := v_made + 1;
        end loop;
        -- Whoever names a partition instead of its table meets the same wall.
        for v_name in
            select c.relname from pg_catalog.pg_inherits as i
            inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
            where i.inhparent = format('gateway.%I', v_table)::regclass and not c.relforcerowsecurity
        loop
            execute format('alter table gateway.%I enable row level security, force row level security', v_name);
            execute format('create policy owner_sees_all on gateway.%I to onevault_owner using (true)', v_name);
        end loop;
    end loop;
    return v_made;
end
$$;

comment on function ops.fn_keep_partitions(timestamptz) is
'Makes the partitions of every month from a moment''s on, which is now, to three months ahead; returns how many were
made.';
