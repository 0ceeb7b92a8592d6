begin;
select plan(7);
select test.make_offer('maker', 'model-a', 10, 20);
select test.make_offer('maker', 'model-b', 10, 20);
select test.make_customer('ours', '{}', 'tenant a'), test.make_customer('theirs', '{}', 'tenant b');
create function test.book(p_customer text, p_attempt jsonb, p_model text default 'model-a') returns bytea language sql as $$
    select test.book_at(
        p_customer, '2026-11-03 12:00+00', '{}', '{"usage_source": "provider_final", "output_tokens": 50000}'::jsonb || p_attempt, 'maker', p_model
    );
$$;
select test.book('ours', '{}'), test.book('theirs', '{}'), test.book('theirs', '{}', 'model-b');
select gateway.sp_import_provider_usage('a file', '[
    {"provider": "maker", "usage_day": "2026-11-03", "usage_kind": "COMPLETION", "model_name": "model-a", "input_uncached_tokens": 20, "output_tokens": 150000},
    {"provider": "maker", "usage_day": "2026-11-03", "usage_kind": "COMPLETION", "model_name": "model-b", "input_uncached_tokens": 10, "output_tokens": 50000}
]');
create temporary view listed as
select string_agg(concat_ws(' ', r.tenant, r.customer, r.model, coalesce(r.error_class, r.usage_source)), ', ' order by r.customer, r.error_class) as rows
from ops.reconciliation_request as r where r.usage_day = '2026-11-03';
select is((select l.rows from listed as l), 'tenant a ours model-a provider_final, tenant b theirs model-a provider_final',
    'where all is certain, every request of the day and model');
select test.book('ours', '{"usage_source": "estimated", "output_tokens": 1}');
select test.book('theirs', '{"usage_source": null, "outcome": "UNKNOWN", "error_class": "worker_lost", "output_tokens": null, "is_charged": false}');
select is((select l.rows from listed as l), 'tenant a ours model-a estimated, tenant b theirs model-a worker_lost',
    'else those of which nobody knows for certain');
select is((select count(*) from ops.reconciliation_request as r where r.provider = 'maker' and not r.is_uncertain), 0::bigint, 'and no other');
select test.book('ours', '{"output_tokens": 49999}');
select is((select l.rows from listed as l), null, 'nothing is behind what is no difference');
select gateway.sp_import_provider_usage('another file', '[
    {"provider": "maker", "usage_day": "2026-11-03", "usage_kind": "COMPLETION", "output_tokens": 900000},
    {"provider": "maker", "usage_day": "2026-11-03", "usage_kind": "COST", "model_name": "model-a", "cost_usd": 900}
]');
select results_eq(
    $$select r.model, count(*), count(distinct r.request_id) from ops.reconciliation_request as r group by r.model order by r.model$$,
    $$values ('model-a', 2::bigint, 2::bigint), ('model-b', 1, 1)$$, 'what is behind two differences is there once'
);
select unalike(
    test.plan_as('onevault_dba', 'select * from ops.reconciliation_request as q where q.usage_day = ''2026-11-03'''),
    '%Filter:%.usage_day = ''2026-11-03''::date)%', 'a day that is asked for is not looked for among all'
);
select throws_ok($$select test.read_as('onevault_bi', 'tenant a', 'select count(*) from ops.reconciliation')$$, '42501', null,
    'these are the house''s numbers: no tenant''s role reads them');
select * from finish();
rollback;
