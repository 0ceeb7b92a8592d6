begin;
select plan(20);
select test.make_offer('maker', 'model-a', 10, 20, '{"upstream_model": "model-a-2026-01-02"}');
select test.make_offer('maker', 'model-b', 10, 20);
select test.make_customer('ours');
create function test.import(p_rows jsonb) returns bigint language sql as $$
    select i.added from gateway.sp_import_provider_usage('a file', (
        select jsonb_agg('{"provider": "maker", "usage_kind": "COMPLETION", "usage_day": "2026-11-03"}'::jsonb || r)
        from jsonb_array_elements(p_rows) as r
    )) as i;
$$;
create function test.book(p_at timestamptz, p_attempt jsonb, p_model text default 'model-a') returns bytea language sql as $$
    select test.book_at('ours', p_at, '{}', jsonb_build_object(
        'usage_source', 'provider_final', 'input_uncached_tokens', 100000, 'output_tokens', 50000, 'input_usd_per_million', 10,
        'output_usd_per_million', 20, 'provider_cost', 2
    ) || p_attempt, 'maker', p_model);
$$;
create function test.told(p_columns text, p_day date default '2026-11-03') returns text language plpgsql as $$
declare v_told text;
begin
    execute format(
        $f$select string_agg(concat_ws(' ', %s), ', ' order by concat_ws(' ', %s)) from ops.reconciliation as r
            where r.usage_day = %L and r.provider = 'maker' and r.bucket <> 'requests'$f$, p_columns, p_columns, p_day
    ) into v_told;
    return v_told;
end
$$;
select test.book('2026-11-03 00:00+00', '{}'), test.book('2026-11-03 23:59:59+00', '{}'), test.book('2026-11-04 00:00+00', '{}');
select is(test.told('r.bucket, r.status'), 'cost not imported, input_uncached not imported, output not imported', 'a day without import');
select is_empty($$select f.usage_day from ops.fn_find_unreconciled('2026-11-01') as f$$, 'is no difference');

select test.import('[{"model_name": "MODEL-A", "input_uncached_tokens": 200000, "output_tokens": 100000},
    {"model_name": "Model A 2026-01-02", "usage_kind": "COST", "cost_usd": "4.0"}]');
select is(
    test.told('r.model, r.bucket, r.ours, r.theirs, r.is_within_tolerance'),
    'model-a cost 4 4 t, model-a input_uncached 200000 200000 t, model-a output 100000 100000 t', 'a day in UTC, by any name of its model'
);
select test.import('[{"model_name": "model-a", "input_uncached_tokens": 200999, "output_tokens": 102000},
    {"model_name": "model-a", "usage_kind": "COST", "cost_usd": "4.03"}]');
select is(
    test.told('r.bucket, r.difference, r.difference_percent, r.difference_usd, r.status'),
    'cost 0.03 0.7444 0.0300000000 different, input_uncached 999 0.4970 0.0099900000 matched, output 2000 1.9608 0.0400000000 different',
    'what is beyond half a percent and a cent is different, in units and in what they are worth'
);
select results_eq(
    $$select f.model, f.difference_usd from ops.fn_find_unreconciled('2026-11-30') as f$$, $$values ('model-a', 0.03)$$,
    'and keeps its month from being closed, by the money'
);
select is_empty($$select f.model from ops.fn_find_unreconciled('2026-12-01') as f$$, 'no other one');
update admin.provider set reconcile_percent = 2 where provider = 'maker';
select is(test.told('r.bucket, r.status'), 'cost matched, input_uncached matched, output matched', 'the tolerance is the DBA''s: percent');
update admin.provider set reconcile_percent = 0, reconcile_usd = 0.04 where provider = 'maker';
select is(test.told('r.bucket, r.status'), 'cost matched, input_uncached matched, output matched', 'or USD');
update admin.provider set reconcile_percent = 0.5, reconcile_usd = 0.01 where provider = 'maker';

-- All that the provider may ask for, whoever pays it here.
select test.book('2026-11-04 01:00+00', '{"is_charged": false, "error_class": "outrun", "usage_source": "estimated"}');
select test.book('2026-11-04 02:00+00', '{"is_own_key": true, "provider_cost": 0, "own_key_cost": 2}');
select test.book('2026-11-04 03:00+00', '{"outcome": "ERROR", "error_class": "rate_limited", "usage_source": null,
    "provider_cost": 0, "output_bytes": 0, "input_uncached_tokens": null, "output_tokens": null}');
select test.book('2026-11-04 04:00+00', '{"other_usage": {"cache_write_1h": {"units": 70, "usd_per_million": 40}, "search/deep": {"units": 3,
    "usd_per_million": 10000}}}', 'model-b');
select is(
    test.told('r.model, r.bucket, r.ours', '2026-11-04'),
    'model-a cost 4, model-a input_uncached 200000, model-a output 100000, model-b cache_write_1h 70, model-b cost 2, '
    'model-b input_uncached 100000, model-b output 50000, model-b search 3', 'losses count, own keys do not'
);
select is(
    (select r.ours from ops.reconciliation as r where r.usage_day = '2026-11-04' and r.bucket = 'requests' and r.model = 'model-a'),
    2::numeric, 'nor what was turned away'
);

-- As finely as they told.
select test.import('[{"usage_day": "2026-11-04", "input_uncached_tokens": 300000, "output_tokens": 150000, "cache_write_1h_tokens": 70,
    "other_usage": {"search": 5}}, {"usage_day": "2026-11-04", "usage_kind": "COST", "model_name": "model-a", "cost_usd": 4},
    {"usage_day": "2026-11-04", "usage_kind": "COST", "model_name": "model-c", "cost_usd": 2}]');
select is(
    test.told('coalesce(r.model, ''all''), r.bucket, r.difference, r.status', '2026-11-04'),
    'all cache_write_1h 0 matched, all input_uncached 0 matched, all output 0 matched, all search 2 different, '
    'model-a cost 0 matched, model-b cost -2 different, model-c cost 2 different', 'usage without models is compared over all, money by model'
);
insert into gateway.ai_provider_key_h (provider_key_hk, provider_key_bk, provider_hk, record_source)
values (util.hash_key('house', 'maker', 'one'), 'maker|one', util.hash_key('maker'), 'test');
insert into gateway.ai_provider_key_s (provider_key_hk, hash_diff, key_name, key_fingerprint, api_key_encrypted, encryption_key_id, record_source)
values (util.hash_key('house', 'maker', 'one'), '', 'one', '', '', '', 'test');
select test.book('2026-11-05 01:00+00', jsonb_build_object('provider_key_hk', util.hash_key('house', 'maker', 'one')));
select test.import('[{"usage_day": "2026-11-05", "model_name": "model-a", "provider_key_id": "key_1", "input_uncached_tokens": 100000,
    "output_tokens": 50000}, {"usage_day": "2026-11-05", "model_name": "model-a", "provider_key_id": "key_x", "output_tokens": 900}]');
select is(
    test.told('coalesce(r.key_name, ''all''), r.bucket, r.difference', '2026-11-05'), 'all input_uncached 0, all output 900, one cost',
    'keys that nobody has named are compared over all'
);
update admin.provider_key set provider_key_id = ' key_1 ' where provider = 'maker';
select is(
    test.told('coalesce(r.key_name, ''all''), r.bucket, r.difference', '2026-11-05'),
    'key_x output 900, one cost, one input_uncached 0, one output 0', 'a named one by itself, and so is one that is none of ours'
);
-- A key that is revoked by now was one of ours that day.
insert into gateway.ai_provider_key_h (provider_key_hk, provider_key_bk, provider_hk, record_source)
values (util.hash_key('house', 'maker', 'two'), 'maker|two', util.hash_key('maker'), 'test');
insert into gateway.ai_provider_key_s (
    provider_key_hk, load_date, load_end_date, hash_diff, key_name, key_fingerprint, api_key_encrypted, encryption_key_id, record_source, key_status
) values
(util.hash_key('house', 'maker', 'two'), '2026-11-07 12:00Z', '2026-11-08 12:00Z', '', 'two', '', '', '', 'test', 'ACTIVE'),
(util.hash_key('house', 'maker', 'two'), '2026-11-08 12:00Z', null, '', 'two', '', '', '', 'test', 'REVOKED');
select test.book('2026-11-07 13:00+00', jsonb_build_object('provider_key_hk', util.hash_key('house', 'maker', 'two')));
select test.import('[{"usage_day": "2026-11-07", "model_name": "model-a", "provider_key_id": "key_2", "input_uncached_tokens": 100000,
    "output_tokens": 50000}]');
select is(
    test.told('coalesce(r.key_name, ''all''), r.bucket, r.difference', '2026-11-07'), 'all input_uncached 0, all output 0, two cost',
    'one that was revoked since, and that nobody had named, is compared over all'
);
update admin.provider_key set provider_key_id = 'key_2' where provider = 'maker' and key_name = 'two';
select is(
    test.told('coalesce(r.key_name, ''all''), r.bucket, r.difference', '2026-11-07'), 'two cost, two input_uncached 0, two output 0',
    'or by itself once it is named'
);
-- A unit that our books do not have is worth what the price book says.
select is(
    (select r.difference_usd from ops.reconciliation as r where r.key_name = 'key_x' and r.bucket = 'output'), 0.018, 'it is worth its price'
);
select test.import('[{"usage_day": "2026-11-06", "usage_kind": "COST"}]');
select test.book('2026-11-06 01:00+00', '{}');
select is(
    test.told('r.bucket, r.ours, r.theirs, r.status', '2026-11-06'),
    'cost 2 0 different, input_uncached 100000 not imported, output 50000 not imported', 'a day that says nothing is imported'
);
insert into gateway.charge_adjustment_s (
    customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
    new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
)
select a.customer_hk, '\x00', a.api_request_hk, '2026-11-01', 2, 0, -2, 0, 0, 0, 0, 0, 0, '{"1": "-2.0"}', 'test', uuidv7(), 'test'
from ops.billable_attempt as a where a.usage_day = '2026-11-06';
select is(test.told('r.bucket, r.status', '2026-11-06'), 'input_uncached not imported, output not imported', 'adjustments are part of our money');
update admin.provider set customer = 'ours', api_endpoint = 'https://models.example.com/v1' where provider = 'maker';
select is(test.told('r.bucket'), null, 'a customer''s own server sends no bill to the house');
select is(
    (select array_agg(ops.fn_name_usage_model(n) order by n)
        from unnest('{gpt-3.5-turbo-0125,gpt-4-0613,gpt-4-32k,gpt-4o-2024-08-06,mistral-large-2411,model-1300}'::text[]) as n),
    '{gpt-3-5-turbo,gpt-4,gpt-4-32k,gpt-4o,mistral-large-2411,model-1300}'::text[], 'a version may be named by month and day'
);
select * from finish();
rollback;
