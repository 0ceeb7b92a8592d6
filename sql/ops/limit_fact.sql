-- What each limit's window should say, recomputed from vault and reservations: of each customer of the tenant the time
-- since the window began, whatever lies before. Minutes are not kept there.
drop view if exists ops.limit_fact;
create view ops.limit_fact as
with windows as (
    select
        l.*,
        w.window_number as current_window,
        b.begins_at,
        case when isfinite(b.begins_at) then util.fn_request_key_at(b.begins_at - interval '1 second') else '\x' end
        as lowest_key
    from ops.usage_limit as l
    inner join auth.tenant_s as n on l.tenant_hk = n.tenant_hk and n.load_end_date is null
    cross join lateral util.fn_window_number(clock_timestamp() at time zone n.time_zone, l.period) as w (window_number)
    cross join lateral coalesce(
        util.fn_window_begin(w.window_number, l.period, n.time_zone), '-infinity'
    ) as b (begins_at)
    where l.period is distinct from 'MINUTE'
)

select
    w.usage_limit_hk, w.limit_name, w.tenant_hk, w.customer_hk, w.current_window as window_number,
    case w.unit
        when 'USD' then coalesce(k.charged, s.charged, 0) when 'TOKENS' then coalesce(s.tokens, 0)
        when 'REQUESTS' then coalesce(s.requests, 0) else 0
    end as spent,
    coalesce(h.held, 0) as held
from windows as w
left join lateral (
    select sum(r.customer_cost) as charged, sum(r.total_tokens) as tokens, count(*) as requests
    from gateway.customer_h as c
    inner join gateway.api_request_s as r on c.customer_hk = r.customer_hk and c.tenant_hk = r.tenant_hk
    where
        c.tenant_hk = w.tenant_hk and (w.customer_hk is null or c.customer_hk = w.customer_hk)
        and r.request_timestamp >= w.begins_at and r.api_request_hk >= w.lowest_key
        and (w.token_hk is null or r.token_hk = w.token_hk)
        and (w.provider_hk is null or r.provider_hk = w.provider_hk)
        and (w.model_bk is null or r.model_used = w.model_bk)
) as s on w.unit <> 'PARALLEL' and w.provider_key_hk is null
left join lateral (
    -- What the provider asked for calls by this key, failed ones included.
    select sum(a.own_key_cost) as charged
    from gateway.api_request_s as r
    inner join gateway.api_request_attempt_s as a on r.api_request_hk = a.api_request_hk
    where
        r.customer_hk = w.customer_hk and a.provider_key_hk = w.provider_key_hk and a.is_own_key
        and r.request_timestamp >= w.begins_at and r.api_request_hk >= w.lowest_key
) as k on w.provider_key_hk is not null
left join lateral (
    select sum(t.held) as held
    from ops.reservation as r
    cross join lateral jsonb_to_recordset(r.limits) as t ("limit" text, "window" integer, held numeric)
    where
        r.tenant_hk = w.tenant_hk and t."limit" = encode(w.usage_limit_hk, 'hex') and t."window" = w.current_window
) as h on true;

comment on view ops.limit_fact is
'Used and held of every limit but those by the minute, recomputed from the vault and the open reservations.';
