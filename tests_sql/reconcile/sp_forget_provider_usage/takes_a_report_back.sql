-- Mutants: a day too many, another provider's, a day that stays imported, history that forgets why.
begin;
select plan(8);
select test.make_offer('maker', 'model-a'), test.make_provider('other'), test.make_customer('ours');
select test.book_at('ours', '2026-11-03 10:00Z'), test.book_at('ours', '2026-11-04 10:00Z');
select gateway.sp_import_provider_usage('the wrong file', (
    select jsonb_agg(jsonb_build_object('provider', p, 'usage_day', d, 'usage_kind', k, 'model_name', 'x', 'cost_usd', 7, 'output_tokens', 9))
    from unnest('{maker,other}'::text[]) as p cross join unnest('{2026-11-03,2026-11-04}'::date[]) as d cross join unnest('{COST,COMPLETION}'::text[]) as k
));
create function pg_temp.found() returns text language sql as $$
    select string_agg(distinct f.provider || ' ' || f.usage_day, ', ' order by f.provider || ' ' || f.usage_day)
    from ops.fn_find_unreconciled('2026-11-01') as f;
$$;
select is(pg_temp.found(), 'maker 2026-11-03, maker 2026-11-04, other 2026-11-03, other 2026-11-04', 'what was imported by mistake differs');
select is(gateway.sp_forget_provider_usage('MAKER', '2026-11-04', '2026-11-05', 'it was another account''s'), 2::bigint, 'both kinds of a day end');
select is(pg_temp.found(), 'maker 2026-11-03, other 2026-11-03, other 2026-11-04', 'and it differs no more');
select is(
    (select string_agg(distinct r.status, ', ') from ops.reconciliation as r where r.provider = 'maker' and r.usage_day = '2026-11-04'),
    'not imported', 'since it was not imported'
);
select is(
    (select min(s.end_reason) || count(*) from gateway.provider_usage_s as s where s.load_end_date is not null and s.ended_by = session_user),
    'taken back: it was another account''s2', 'history says why, and who'
);
select throws_ok($$select gateway.sp_forget_provider_usage('nobody', '2026-11-04', '2026-11-05', 'x')$$, 'VG404', null, 'of a provider that is there');
select throws_ok($$select gateway.sp_forget_provider_usage('maker', '2026-11-05', '2026-11-04', 'x')$$, 'VG400', null, 'days in their order');
select throws_ok($$select gateway.sp_forget_provider_usage('maker', '2026-11-04', '2026-11-05', ' ')$$, 'VG400', null, 'and a reason');
select * from finish();
rollback;
