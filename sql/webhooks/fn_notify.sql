-- Runs in the caller's transaction: the event commits with its cause, or not at all. A customer without a webhook_url
-- costs a look-up by key. What is sent is made here, so that every try sends the same bytes.
create or replace function gateway.fn_notify(p_customer_hk bytea, p_event text, p_data jsonb) returns text
language plpgsql
set search_path = ''
as $$
declare
    v_customer text;
    v_now timestamptz;
    v_event_hk bytea;
    v_event_id text;
    v_body text;
begin
    select h.customer_bk into v_customer
    from gateway.customer_config_s as s
    inner join gateway.customer_h as h on s.customer_hk = h.customer_hk
    where s.customer_hk = p_customer_hk and s.load_end_date is null and s.webhook_url is not null;
    if v_customer is null then
        return null;
    end if;
    v_now := util.current_load_date();
    v_event_hk := uuid_send(uuidv7());
    v_event_id := 'evt_' || encode(v_event_hk, 'hex');
    v_body := jsonb_build_object(
        'type', p_event,
        'timestamp', to_char(v_now at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'data', coalesce(p_data, '{}') || jsonb_build_object('customer', v_customer)
    )::text;
    if octet_length(v_body) >= 20000 then
        raise exception using
            errcode = 'VG400', constraint = 'payload_is_thin',
            message = format('An event %s of %s bytes is too large', p_event, octet_length(v_body)),
            hint = 'Send ids, names and figures, less than 20,000 bytes.';
    end if;
    insert into gateway.webhook_event_h (
        webhook_event_hk, webhook_event_bk, customer_hk, event_type, load_date, record_source
    )
    values (v_event_hk, v_event_id, p_customer_hk, p_event, v_now, 'gateway');
    insert into pgmq.q_webhook (vt, message) values (
        clock_timestamp(),
        jsonb_build_object(
            'event', v_event_id, 'customer', encode(p_customer_hk, 'hex'), 'type', p_event, 'body', v_body
        )
    );
    return v_event_id;
end
$$;

comment on function gateway.fn_notify(bytea, text, jsonb) is
'Tells a customer of an event at its webhook_url, once this transaction commits; p_data holds ids, names and figures.
Returns the event''s id, or NULL without doing anything when the customer has no webhook_url.';
