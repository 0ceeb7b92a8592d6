-- As the rulebook says now, in the eyes of this transaction: nobody rests, nothing is measured.
create or replace function admin.test_rules() returns table (test_name text, complaint text)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    return query
    select
        t.test_name,
        case
            when t.is_denied and (c.choice).refusal.status is null
                then format('it is to be refused, and goes to %s/%s', (c.choice).provider_bk, (c.choice).model_bk)
            when t.is_denied then null
            when (c.choice).refusal.status is not null then format('it is refused: %s', (c.choice).refusal.message)
            when
                t.expected_provider <> (c.choice).provider_bk or t.expected_model <> (c.choice).model_bk
                then format('it is to go to %s/%s, and goes to %s/%s', coalesce(t.expected_provider, 'any'),
                    coalesce(t.expected_model, 'any'), (c.choice).provider_bk, (c.choice).model_bk)
            when t.expected_rule is distinct from coalesce(r.rule_name, 'none') and t.expected_rule is not null
                then format('the rule %s is to decide, and %s does', quote_literal(t.expected_rule),
                    coalesce(quote_literal(r.rule_name), 'none'))
        end
    from admin.routing_rule_test as t
    cross join lateral admin.fn_read_request(t.request) as q
    cross join lateral admin.fn_read_principal(admin.fn_find_customer(t.customer), t.request ->> 'token') as p
    cross join lateral (
        select gateway.fn_decide(
            p, q.features, q.prompt_tokens, util.current_load_date(), q.seed, null, '{}'
        ) as choice
        offset 0
    ) as c
    left join ops.rule as r on r.routing_rule_hk = (c.choice).rule_hk
    where t.is_active
    order by t.test_name;
end
$$;

comment on function admin.test_rules() is
'Every active test of the rulebook, with what is wrong; NULL where it holds.';
