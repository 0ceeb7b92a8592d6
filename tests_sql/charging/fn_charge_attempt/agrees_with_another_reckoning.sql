-- Prices, rules and usage by lot; what was charged is reckoned again from the rows that people read, in another way.
begin;
select plan(5);
select setseed(0.42);
select test.make_customer('buyer', '{"markup_percent": 20}', 'one');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 50);
insert into admin.subscription (customer, plan) values ('buyer', 'gold');
create function pg_temp.make(p_model text, p_prices jsonb) returns void language sql as $$
    select test.make_offer('maker', p_model, null, null, '{"context_tokens": 1000000}');
    select test.make_price(
        util.hash_key('maker', p_model), p ->> 0, (p ->> 1)::numeric, '-infinity', coalesce(p -> 2, '{}')
    ) from jsonb_array_elements(p_prices) as p;
$$;
select pg_temp.make('long', '[
    ["input", 2.3456789], ["output", 10.01], ["input", 4, {"threshold_tokens": 1500}], ["output", 15, {"threshold_tokens": 1500}],
    ["cache_read", 0.1234567], ["cache_write", 2.5], ["cache_write_1h", 8.5], ["search", 10000], ["input_audio", 20],
    ["cache_read_audio", 3.3], ["output_audio", 40]
]');
select pg_temp.make('plain', '[["input", 0.0333333333], ["output", 0.4999999999], ["search", 5000.0000000001], ["input_audio", 20],
    ["output_audio", 1]]');
create function pg_temp.lot(p_choices text[]) returns text language sql volatile
return nullif(p_choices[1 + floor(random() * cardinality(p_choices))::integer], '-');

-- The rule for a meter, by what the documents say.
create function pg_temp.find(p_meter text, p_uncached text, p_model text, p_spent numeric) returns admin.charge_rule language sql as $$
    select r
    from admin.charge_rule as r
    where
        (r.customer is null or r.customer = 'buyer') and (r.tenant is null or r.tenant = 'one')
        and (r.provider is null or r.provider = 'maker') and (r.model is null or r.model = p_model) and r.from_month_usd <= p_spent
        and (r.meter is null or r.meter = p_meter or r.meter = p_uncached and not r.passes_cache_savings)
    order by
        -- A number for each step of precedence, the first the largest.
        (r.customer is not null)::integer * 64 + (r.plan is not null)::integer * 32 + (r.tenant is not null)::integer * 16
        + (r.model is not null)::integer * 8 + (r.provider is not null)::integer * 4
        + case when r.meter = p_meter then 2 when r.meter is not null then 1 else 0 end desc, r.from_month_usd desc
    limit 1;
$$;
create function pg_temp.price(p_meter text, p_usd numeric, p_uncached_usd numeric, p_model text, p_spent numeric) returns numeric
language plpgsql as $$
declare
    v_uncached text := case p_meter when 'cache_read' then 'input' when 'cache_read_audio' then 'input_audio' end;
    v_rule admin.charge_rule := pg_temp.find(p_meter, v_uncached, p_model, p_spent);
begin
    return case
        when v_uncached is not null and not v_rule.passes_cache_savings
            then pg_temp.price(v_uncached, p_uncached_usd, null, p_model, p_spent)
        when v_rule.charge_rule is null then p_usd * 1.2
        else coalesce(v_rule.usd_per_million, p_usd + p_usd * v_rule.markup_percent / 100)
    end;
end
$$;
create function pg_temp.reckon(p_request_id uuid, p_spent numeric) returns numeric language sql as $$
    select greatest(
        round(sum(u.units * pg_temp.price(u.meter, u.usd, u.uncached_usd, s.model_used, p_spent)) / 1e6::numeric(20, 10), 10),
        max((pg_temp.find('nothing', 'nothing', s.model_used, p_spent)).minimum_usd)
    )
    from gateway.api_request_attempt_s as a
    inner join gateway.api_request_s as s on a.api_request_hk = s.api_request_hk
    cross join lateral (
        values
        ('input', a.input_uncached_tokens, a.input_usd_per_million, null),
        ('cache_read', a.cache_read_tokens, a.cache_read_usd_per_million, a.input_usd_per_million),
        ('cache_write', a.cache_write_tokens, a.cache_write_usd_per_million, null),
        ('output', a.output_tokens, a.output_usd_per_million, null)
        union all
        select o.key, (o.value ->> 'units')::numeric, (o.value ->> 'usd_per_million')::numeric, 20
        from jsonb_each(a.other_usage) as o
    ) as u (meter, units, usd, uncached_usd)
    where a.api_request_hk = uuid_send(p_request_id);
$$;

create temporary table charged (turn integer, id uuid, spent numeric, expected numeric, rules bigint);
create function pg_temp.turn(p_turn integer) returns void language plpgsql as $$
declare
    v_spent numeric := pg_temp.lot('{0,9.9999999999,10,500}');
    v_meter text;
    v_method integer;
    v_decision gateway.route_decision;
    v_left integer := 2900;
    v_usage jsonb := '{}';
    v_other jsonb := '{}';
    v_units integer;
begin
    delete from admin.charge_rule where true;
    for i in 1 .. floor(random() * 7)::integer loop
        v_meter := pg_temp.lot('{-,-,input,output,cache_read,cache_write,cache_write_1h,search,input_audio,cache_read_audio,output_audio}');
        v_method := floor(random() * 3)::integer;
        begin
            insert into admin.charge_rule (
                charge_rule, customer, tenant, plan, provider, model, meter, markup_percent, usd_per_million, from_month_usd,
                minimum_usd, passes_cache_savings
            )
            select
                'rule ' || i, w.customer, case when w.customer is null then pg_temp.lot('{-,one}') end, pg_temp.lot('{-,-,gold}'),
                pg_temp.lot('{-,maker}'), pg_temp.lot('{-,-,long,plain}'), v_meter,
                case when v_meter is null or v_method = 0 then pg_temp.lot('{-100,-33.3333,0,0.0001,17.5,250}')::numeric end,
                case when v_meter is not null and v_method > 0 then pg_temp.lot('{0,0.0000000001,1.3,7.7777777777,60}')::numeric end,
                pg_temp.lot('{0,0,10,500}')::numeric, case when v_meter is null then pg_temp.lot('{-,-,0,0.0123456789}')::numeric end,
                not (coalesce(v_meter, 'input') in ('input', 'input_audio') and v_method = 2)
            from (select pg_temp.lot('{-,buyer}') as customer) as w;
        exception
            when sqlstate 'VG409' then null;
        end;
    end loop;
    update ops.scope_state set month_spent_usd = v_spent where scope_hk = util.hash_key('buyer');
    v_decision := test.route(sha256('buyer/token'), jsonb_build_object(
        'model', 'maker/' || pg_temp.lot('{long,plain}'), 'prompt_bytes', 5752, 'max_output_tokens', 700, 'is_strict', false
    ) || case when p_turn % 2 = 0 then '{"searches": 2, "audio_in": true, "audio_out": true, "cache_1h": true}' else '{}'::jsonb end);
    -- No more than was asked for: 2,900 tokens of prompt by the upper estimate, 700 of answer.
    foreach v_meter in array '{input_uncached,cache_read,cache_write}'::text[] loop
        v_units := floor(random() * v_left / 3)::integer;
        v_usage := v_usage || jsonb_build_object(v_meter, v_units);
        v_left := v_left - v_units;
    end loop;
    v_units := floor(random() * 701)::integer;
    v_usage := v_usage || jsonb_build_object('output', v_units);
    if p_turn % 2 = 0 then
        v_other := jsonb_build_object(
            'cache_write_1h', v_left / 4, 'input_audio', v_left / 4, 'cache_read_audio', v_left / 4, 'search', p_turn % 3,
            'output_audio', 700 - v_units
        );
    end if;
    perform gateway.sp_read_messages(100, 60);
    perform gateway.sp_record_result(test.make_result(
        v_decision, jsonb_build_array(test.one_attempt(v_decision, v_usage || jsonb_build_object('other', v_other)))
    ));
    insert into charged
    select p_turn, v_decision.request_id::uuid, v_spent, pg_temp.reckon(v_decision.request_id::uuid, v_spent),
        (select count(*) from admin.charge_rule);
end
$$;
do $$ begin for i in 1 .. 80 loop perform pg_temp.turn(i); end loop; end $$;
select cmp_ok((select count(distinct c.expected) from charged as c where c.rules > 0), '>', 50::bigint, 'all kinds of charges');
select results_eq(
    $$select c.turn, s.customer_cost + s.house_loss from charged as c inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk
        where s.charge_terms is not null order by c.turn$$,
    $$select c.turn, c.expected from charged as c inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk
        where s.charge_terms is not null order by c.turn$$,
    'the charge is that to the tenth decimal'
);
select results_eq(
    $$select c.turn, s.customer_cost from charged as c inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk
        where s.charge_terms is null order by c.turn$$,
    $$select c.turn, round(s.provider_cost * 1.2, 10)
        from charged as c inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk where s.charge_terms is null order by c.turn$$,
    'and where no rule had a say the plain markup'
);
select is_empty(
    $$select c.turn, s.house_loss from charged as c inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk where s.house_loss > 0$$,
    'what was held is enough for each'
);
-- From what is kept with the charge alone.
select is_empty(
    $$select c.turn from charged as c
        inner join gateway.api_request_s as s on uuid_send(c.id) = s.api_request_hk
        cross join lateral (
            select sum(u.units * (s.charge_terms #>> array['usd_per_million', u.meter])::numeric) as usd
            from (
                values ('input', s.input_uncached_tokens), ('cache_read', s.cache_read_tokens), ('cache_write', s.cache_write_tokens),
                    ('output', s.output_tokens)
                union all
                select o.key, (o.value ->> 'units')::numeric from jsonb_each(s.other_usage) as o
            ) as u (meter, units)
        ) as k
        where s.charge_terms is not null and not coalesce((s.charge_terms ->> 'minimum_is_charged')::boolean, false)
            and round(coalesce(k.usd, 0) * 0.000001, 10) <> s.customer_cost$$,
    'the prices kept with it make it, too'
);
select * from finish();
rollback;
