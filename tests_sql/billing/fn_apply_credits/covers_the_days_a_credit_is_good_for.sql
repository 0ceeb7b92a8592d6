begin;
select plan(7);
select test.make_customer('user');
create function test.grant_credit(p_credit text, p_usd numeric, p_priority integer, p_from date, p_to date, p_kind text default 'PROMOTION') returns void
language plpgsql as $$
declare
    v_hk bytea := util.hash_key('user', p_credit);
begin
    perform util.fn_load_hub('gateway.credit_h', v_hk, 'user|' || p_credit, 'test',
        jsonb_build_object('customer_hk', util.hash_key('user'), 'tenant_hk', util.hash_key('test tenant')));
    perform util.fn_load_satellite('gateway.credit_s', jsonb_build_object('credit_hk', v_hk), jsonb_build_object(
        'credit_kind', p_kind, 'amount_usd', p_usd, 'priority', p_priority, 'valid_from', p_from, 'expires_on', p_to, 'description', p_credit
    ), 'test');
    perform gateway.fn_post_entry(util.hash_key('user'), 'CREDIT', 'credit:' || p_credit, jsonb_build_array(
        jsonb_build_object('account', 'promotion', 'amount_usd', p_usd),
        jsonb_build_object('account', 'prepaid', 'amount_usd', -p_usd, 'credit', encode(v_hk, 'hex'))
    ));
end
$$;
create function test.applied(p_due numeric, p_kind text default 'PROMOTION') returns text language sql as $$
    select coalesce(string_agg(a.credit || ' ' || trim_scale(a.amount_usd), ', '), 'none')
    from gateway.fn_apply_credits(util.hash_key('user'), p_kind,
        '[{"day": "2026-01-03", "usd": "6"}, {"day": "2026-01-10", "usd": "3"}, {"day": "2026-01-31", "usd": "1"}]', p_due) as a;
$$;
select is(test.applied(10), 'none', 'without credits there is nothing to take');
select test.grant_credit('later', 100, 100, '2026-01-05', 'infinity');
select is(test.applied(10), 'later 4', 'not for days before it began');
select test.grant_credit('expiring', 100, 100, '2025-12-01', '2026-01-10');
select is(test.applied(10), 'expiring 6, later 4', 'not from the day on which it expires; who expires first goes first');
select test.grant_credit('first', 2, 1, '2025-12-01', 'infinity');
select is(test.applied(10), 'first 2, expiring 4, later 4', 'by priority before that');
select is(test.applied(5), 'first 2, expiring 1, later 2', 'less is due: the same share of each day');
select is(test.applied(10, 'PREPAID'), 'none', 'one kind is not the other');
select is(test.applied(-1), 'none', 'nothing is due');
select * from finish();
rollback;
