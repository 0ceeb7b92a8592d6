-- The rows of a batch in two statements, since each INSERT begins by reading the checks of its table. Then each scope's
-- holds and charges in one, last, so that nobody waits for its row longer than the commit takes. They go in the order
-- in which routing locks them: limits, then of each customer his own scope and those of his tokens.
create or replace function gateway.fn_write_bookings(
    p_requests gateway.api_request_s[], p_attempts gateway.api_request_attempt_s[], p_days integer[],
    p_months integer[], p_token_is_limited boolean[], p_limits jsonb
) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_scope record;
begin
    if p_attempts <> '{}' then
        insert into gateway.api_request_attempt_s select a.* from unnest(p_attempts) as a;
    end if;
    if p_requests = '{}' then
        return;
    end if;
    insert into gateway.api_request_s select r.* from unnest(p_requests) as r;
    if exists (select from gateway.usage_export_s as e where e.load_end_date is null and e.is_active) then
        perform gateway.fn_write_usage_events(p_requests);
    end if;
    if p_limits <> '[]' then
        perform gateway.fn_release_limits(p_limits);
    end if;
    for v_scope in
        select
            s.scope_hk, w.day_number, w.month_number, sum(q.reserved_cost) as held_usd, sum(q.customer_cost) as charged_usd
        from unnest(p_requests) with ordinality as q
        inner join unnest(p_days, p_months, p_token_is_limited) with ordinality as w (
            day_number, month_number, token_is_limited, place
        ) on q.ordinality = w.place
        cross join lateral (
            values (q.customer_hk, 1), (case when w.token_is_limited then q.token_hk end, 2)
        ) as s (scope_hk, level)
        where s.scope_hk is not null
        group by q.tenant_hk, q.customer_hk, s.level, s.scope_hk, w.day_number, w.month_number
        order by q.tenant_hk, q.customer_hk, s.level, s.scope_hk, w.day_number, w.month_number
    loop
        perform gateway.fn_release_scope(
            v_scope.scope_hk, v_scope.held_usd, v_scope.charged_usd, v_scope.day_number, v_scope.month_number
        );
    end loop;
end
$$;

comment on function gateway.fn_write_bookings(
    gateway.api_request_s[], gateway.api_request_attempt_s[], integer[], integer[], boolean[], jsonb
) is
'Writes settled requests and their attempts into the vault, and what they used into the outbox of exports; releases
their holds and charges their scopes.';
