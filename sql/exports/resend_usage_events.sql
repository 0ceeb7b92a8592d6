-- Parked events go back into the queue, each once however many ask at the same moment, with as many tries as at first.
-- That somebody asked is a line of their history.
create or replace function admin.resend_usage_events(
    p_export text, p_event_id text default null, p_error_class text default null
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_export gateway.usage_export_s := admin.fn_find_export(p_export);
    v_request_hk bytea := case
        when p_event_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:' then uuid_send(split_part(p_event_id, ':', 1)::uuid)
        when p_event_id is not null then ''
    end;
    v_resent integer;
begin
    perform admin.fn_lock_name('resend usage events', p_export);
    with parked as materialized (
        select d.api_request_hk, d.usage_export_hk, d.customer_hk, d.try_number + 1 as try_number
        from gateway.usage_event_delivery_s as d
        where
            d.usage_export_hk = v_export.usage_export_hk and d.delivery_state = 'FAILED'
            and d.error_class = coalesce(p_error_class, d.error_class)
            and d.api_request_hk = coalesce(v_request_hk, d.api_request_hk)
            and not exists (
                select from gateway.usage_event_delivery_s as l
                where
                    l.api_request_hk = d.api_request_hk and l.usage_export_hk = d.usage_export_hk
                    and l.customer_hk = d.customer_hk and l.try_number > d.try_number
            )
    ),

    told as (
        insert into gateway.usage_event_delivery_s (
            api_request_hk, usage_export_hk, customer_hk, try_number, hash_diff, delivery_state, error_class,
            next_try_at, record_source
        )
        select
            p.api_request_hk, p.usage_export_hk, p.customer_hk, p.try_number,
            util.hash_diff('RETRY', 'resent', clock_timestamp()::text), 'RETRY', 'resent', clock_timestamp(), session_user
        from parked as p
    )

    insert into pgmq.q_usage_event (vt, message)
    select clock_timestamp(), jsonb_build_object(
        'request', encode(p.api_request_hk, 'hex'), 'export', encode(p.usage_export_hk, 'hex'),
        'customer', encode(p.customer_hk, 'hex'), 'tries', p.try_number, 'since', p.try_number,
        'lane', encode(p.usage_export_hk, 'hex')
        || case when v_export.export_kind = 'STRIPE' then encode(p.customer_hk, 'hex') else '' end
    )
    from parked as p;
    get diagnostics v_resent = row_count;
    return v_resent;
end
$$;

comment on function admin.resend_usage_events(text, text, text) is
'Sends an export''s parked events again: all, one by its id, or those of one error class. Returns how many.';
