create or replace function admin.why(p_request_id uuid) returns table (line integer, sentence text)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_kept record := admin.fn_read_decision(p_request_id);
    v_principal ops.principal := v_kept.principal;
    v_asked gateway.request_features := v_kept.features;
    v_match record;
    v_rule ops.rule;
    v_booked record;
begin
    v_match := gateway.fn_match_rule(
        v_principal, v_asked, v_kept.prompt_tokens, v_kept.decided_at, (v_kept.decision ->> 'epoch')::bigint,
        v_kept.decision -> 'seen'
    );
    v_rule := v_match.rule;
    select s.response_status, s.attempt_count, s.customer_cost, s.model_used, p.provider_bk into v_booked
    from gateway.api_request_s as s
    inner join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
    where s.api_request_hk = v_kept.request_hk and s.customer_hk = v_kept.customer_hk;
    return query
    select (row_number() over ())::integer, t.sentence
    from (
        select format(
            '%s of tenant %s (%s) called at %s UTC and asked for %s: type %s, %s tokens of prompt by the upper estimate, %s.',
            v_principal.customer_bk, v_principal.tenant_bk, v_principal.priority_tier,
            to_char(v_kept.decided_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), coalesce(v_asked.model, 'any model'),
            coalesce(v_asked.request_type, 'completion'), v_kept.prompt_tokens,
            case when v_asked.stream then 'streamed' else 'in one piece' end
        ) as sentence
        union all
        select case
            when v_rule.rule_name is null then 'No rule applied: the cheapest offer that fits was asked for.'
            else format('The rule %s applied%s.', quote_literal(v_rule.rule_name), case v_rule.distance
                when 0 then ', one of the token''s own' when 1 then ', one of the customer''s own'
                when 2 then ', one of the tenant''s own' else '' end)
        end
        union all
        (
            select format('%s%s/%s: %s%s%s%s.',
                coalesce(e.rank || '. ', ''), e.provider, e.model, e.reason,
                ', at most ' || e.worst_case_cost_usd || ' USD' || coalesce(', score ' || trim_scale(e.score), ''),
                case when v_principal.own_keys is not null then ', keys: ' || e.uses_key end,
                ', charged by ' || e.charged_by)
            from admin.fn_explain_choice(
                v_principal, v_asked, v_kept.prompt_tokens, v_kept.decided_at, (v_kept.decision ->> 'seed')::bigint,
                (v_kept.decision ->> 'epoch')::bigint, v_kept.decision -> 'seen'
            ) with ordinality as e (
                provider, model, rank, worst_case_cost_usd, score, chosen, reason, uses_key, charged_by, place
            )
            order by e.place
        )
        union all
        select format('It ended as %s after %s attempt(s), by %s/%s, for %s USD.', v_booked.response_status,
            v_booked.attempt_count, v_booked.provider_bk, v_booked.model_used, trim_scale(v_booked.customer_cost))
        union all
        select format('Rules and offers of change %s, customer as of version %s, equals told apart by seed %s.',
            v_kept.decision ->> 'epoch', v_kept.decision ->> 'principal', v_kept.decision ->> 'seed')
    ) as t;
end
$$;

comment on function admin.why(uuid) is
'Why a past request went where it went, in sentences: who asked for what, which rule applied, every offer in order or
with the reason it was left out or dropped, and how it ended; as things were then.';
