begin;
select plan(11);
select test.make_offer('cheap', 'model-a', 1, 1, '{"max_output_tokens": 500}');
select test.make_offer('dear', 'model-a', 5, 5);
select test.make_offer('dumb', 'model-b', 1, 1, '{"features": []}');
select test.make_offer('off', 'model-a', 1, 1, '{"is_active": false}');
select test.make_offer('unpriced', 'model-a', null, null);
select test.make_customer('caller', '{"markup_percent": 100}');
create temporary table told as
select e.* from admin.explain_route('Caller', '{"prompt_tokens": 1000, "max_output_tokens": 9000, "stream": true}') as e
where e.provider <> 'sandbox';
select results_eq(
    'select t.provider, t.rank, t.chosen, t.reason from told as t',
    $$values
    ('cheap', 1::bigint, true, 'default: cheapest offer that fits'),
    ('dear', 2, false, 'tried as number 2, if those before it fail'),
    ('dumb', null, false, 'dropped: it cannot stream'),
    ('off', null, false, 'dropped: the model is switched off'),
    ('unpriced', null, false, 'dropped: it has no price for input, for output or for what else the call would use')$$,
    'in the order of trying, then the dropped ones by price'
);
select is((select worst_case_cost_usd from told where provider = 'cheap'), 0.003::numeric, 'prompt, longest answer and markup');
select results_eq($$select e.provider from admin.explain_route('caller', '{"model": "dear/model-a"}') as e$$,
    array['dear'], 'asked for by name, only what is meant');
select is((select reason from admin.explain_route('caller', '{"model": "x"}')),
    'refused: The model ''x'' does not exist here. GET /v1/models lists those you can use.', 'what the caller would be told');
select throws_ok($$select * from admin.explain_route('caller', '{"modell": "x"}')$$, 'VG400',
    'A call has no attribute ''modell''', 'a slip of the pen');
select throws_ok($$select * from admin.explain_route('nobody', '{}')$$, 'VG404', null, 'an unknown customer');
select test.make_token('caller', 'narrow', '{"allowed_models": ["model-b"]}');
select results_eq(
    $$select e.provider, e.reason from admin.explain_route('caller', '{"token": "narrow"}') as e
        where e.chosen or e.provider = 'cheap' order by 1$$,
    $$values ('cheap', 'dropped: not among the allowed models'), ('dumb', 'default: cheapest offer that fits')$$,
    'for one token'
);
select throws_ok($$select * from admin.explain_route('caller', '{"token": "none"}')$$, 'VG404', null, 'an unknown token');
update admin.customer set is_active = false where customer = 'caller';
select is((select reason from admin.explain_route('caller')),
    'refused: The account of this token is switched off. Ask whoever gave it to you.', 'switched off');
update admin.customer set is_active = true, compliance = '{HIPAA}' where customer = 'caller';
select is((select count(*) from admin.explain_route('caller') as e
    where e.reason = 'dropped: the provider does not meet the required compliance'), 3::bigint, 'compliance');
select is((select count(*) from admin.explain_route('caller') as e where e.reason like 'refused: %'), 1::bigint,
    'when nothing is left, what the caller would be told, too');
select * from finish();
rollback;
