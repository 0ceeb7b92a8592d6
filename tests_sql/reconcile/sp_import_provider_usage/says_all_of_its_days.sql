begin;
select plan(12);
select test.make_provider('maker');
create function test.import(p_rows jsonb) returns text language sql as $$
    select concat_ws(' ', i.rows_read, i.days, i.added, i.corrected, i.ended, i.unchanged)
    from gateway.sp_import_provider_usage('a file', p_rows) as i;
$$;
create function test.usage(p_model text, p_output bigint, p_row jsonb default '{}') returns jsonb language sql as $$
    select jsonb_build_object(
        'provider', 'Maker', 'usage_day', '2026-11-03', 'usage_kind', 'COMPLETION', 'model_name', p_model, 'output_tokens', p_output
    ) || p_row;
$$;
create temporary view stands as
select h.model_name, h.usage_kind, s.output_tokens, s.other_usage, s.cost_usd
from gateway.provider_usage_h as h
inner join gateway.provider_usage_s as s on h.provider_usage_hk = s.provider_usage_hk and s.load_end_date is null;

select is(
    test.import(jsonb_build_array(test.usage('a', 5), test.usage('b', 7), test.usage('', 0, '{"usage_kind": "COST", "cost_usd": "1.50"}'))),
    '3 1 3 0 0 0', 'rows are loaded'
);
select is(
    test.import(jsonb_build_array(test.usage('b', 7), test.usage('', 0, '{"usage_kind": "cost", "cost_usd": 1.5}'), test.usage('a', 5))),
    '3 1 0 0 0 3', 'the same once more adds nothing'
);
select is(test.import(jsonb_build_array(test.usage('a', 6), test.usage('b', 7))), '2 1 0 1 0 1', 'a corrected figure closes the old one');
select is(
    (select count(*) from gateway.provider_usage_s as s where s.load_end_date is not null), 1::bigint, 'which stays in history'
);
select is(test.import(jsonb_build_array(test.usage('c', 13))), '1 1 1 0 2 0', 'what its day no longer has ends');
select results_eq(
    'select s.model_name::text, s.output_tokens from stands as s order by s.usage_kind', $$values ('c', 13::bigint), ('', 0)$$,
    'and a day stands once, while another kind is not touched'
);
select is(
    (select min(s.end_reason) from gateway.provider_usage_s as s),
    'a file says the day, and no longer this', 'history tells why'
);
select is(test.import(jsonb_build_array(test.usage('a', 6))), '1 1 1 0 1 0', 'what had ended may come back');
select test.import(jsonb_build_array(
    test.usage('a', 1, '{"other_usage": {"search": 2, "second": 0}, "cost_usd": 0}'), test.usage('A ', 2, '{"other_usage": {"search": 3}}'),
    test.usage('', 0)
));
select results_eq(
    $$select s.output_tokens, s.other_usage from stands as s where s.usage_kind = 'COMPLETION'$$,
    $$values (3::bigint, '{"search": 5}'::jsonb)$$, 'what is said twice adds up, and nothing says nothing where something is said'
);
select is(test.import(jsonb_build_array(test.usage('', 0))), '1 1 1 0 1 0', 'a day without usage is known as such');
select throws_ok(
    $$select test.import(jsonb_build_array(test.usage('a', 1), test.usage('a', 1, '{"provider": "nobody"}')))$$,
    'VG404', 'There is no provider ''nobody''', 'a provider must be there'
);
select throws_ok(
    $$select test.import(jsonb_build_array(test.usage('a', 1, '{"cost_usd": "NaN"}')))$$, '23514', null, 'an amount must be a number'
);
select * from finish();
rollback;
