-- What is told of a request: names, ids and figures; of a correction what changed and when, and what it corrects.
-- Looked up by key, one event after the other, whatever the planner thinks of the tables. Stripe counts whole numbers
-- only, so USD go there in ten-billionths, and none is lost.
create or replace function gateway.fn_pack_usage_events(p_export text, p_kind text, p_value text, p_messages jsonb)
returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_agg(
        jsonb_build_object(
            'msg_id', m.value -> 'msg_id', 'read_ct', m.value -> 'read_ct',
            'id', r.event_id || ':' || p_export, 'customer', r.external_id,
            'at', floor(extract(epoch from r.told_of))::bigint,
            'time', to_char(r.told_of at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'value', case
                when p_kind = 'STRIPE' and p_value = 'CHARGE_USD' then trim_scale(r.event_value * 10000000000)
                else trim_scale(r.event_value)
            end::text,
            'cents', case when p_value = 'CHARGE_USD' then trim_scale(r.event_value * 100)::text end,
            'provider', r.provider_bk, 'model', r.model_used, 'corrects', r.corrected_id || ':' || p_export
        ) order by m.place
    )
    from jsonb_array_elements(p_messages) with ordinality as m (value, place)
    cross join lateral (
        select
            encode(e.api_request_hk, 'hex')::uuid::text as event_id, e.event_value,
            case when e.refers_to_hk is null then s.request_timestamp else e.load_date end as told_of,
            encode(e.refers_to_hk, 'hex')::uuid::text as corrected_id, s.model_used, p.provider_bk, c.external_id
        from gateway.usage_event_l as e
        inner join gateway.api_request_s as s
            on coalesce(e.refers_to_hk, e.api_request_hk) = s.api_request_hk and e.customer_hk = s.customer_hk
        inner join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
        inner join gateway.usage_export_customer_l as l
            on e.customer_hk = l.customer_hk and e.usage_export_hk = l.usage_export_hk
        -- The last that is known: who is taken off an export, or deleted, still pays for what he used before.
        inner join gateway.usage_export_customer_s as c on l.usage_export_customer_hk = c.usage_export_customer_hk
        where
            e.api_request_hk = decode(m.value ->> 'request', 'hex')
            and e.usage_export_hk = decode(m.value ->> 'export', 'hex')
            and e.customer_hk = decode(m.value ->> 'customer', 'hex')
        order by c.load_date desc
        limit 1
    ) as r;
end;

comment on function gateway.fn_pack_usage_events(text, text, text, jsonb) is
'What a worker needs of each message to hand its event over: id, customer there, time, value as exact text, provider and
model, and the event that it corrects.';
