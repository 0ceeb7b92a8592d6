-- The secrets before it sign beside it for p_overlap, so that an endpoint can change over without losing an event.
-- What waits is tried at once: perhaps it waited for this.
create or replace function admin.sp_set_webhook_secret(
    p_customer text, p_identity bytea, p_fingerprint bytea, p_secret_encrypted bytea, p_encryption_key_id text,
    p_overlap interval
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := admin.fn_find_customer(p_customer);
    v_until timestamptz := clock_timestamp() + p_overlap;
    v_number integer;
    v_older record;
begin
    perform util.fn_lock_satellite('gateway.webhook_secret_s', jsonb_build_object('customer_hk', v_customer_hk));
    if admin.sp_identify_webhook_secret(p_customer) <> p_identity then
        perform admin.fn_refuse_change(
            409, 'secret_is_the_next', 'Somebody else made a webhook secret for this customer at the same moment',
            'Make another one if that one is not at hand.'
        );
    end if;
    for v_older in
        select jsonb_build_object('webhook_secret_hk', h.webhook_secret_hk) as key, s.valid_to
        from gateway.webhook_secret_h as h
        inner join gateway.webhook_secret_s as s
            on h.webhook_secret_hk = s.webhook_secret_hk and s.load_end_date is null
        where h.customer_hk = v_customer_hk
        order by h.webhook_secret_hk
    loop
        if least(v_older.valid_to, v_until) <= clock_timestamp() then
            perform util.fn_close_satellite('gateway.webhook_secret_s', v_older.key);
        elsif v_older.valid_to > v_until then
            perform admin.fn_save_satellite(
                'gateway.webhook_secret_s', v_older.key, jsonb_build_object('valid_to', v_until), '{secret_encrypted}'
            );
        end if;
    end loop;
    select count(*) + 1 into v_number from gateway.webhook_secret_h as h where h.customer_hk = v_customer_hk;
    perform util.fn_load_hub(
        'gateway.webhook_secret_h', p_identity, concat_ws('|', p_customer, v_number), session_user,
        jsonb_build_object('customer_hk', v_customer_hk)
    );
    perform admin.fn_save_satellite(
        'gateway.webhook_secret_s', jsonb_build_object('webhook_secret_hk', p_identity),
        jsonb_build_object(
            'key_fingerprint', p_fingerprint, 'secret_encrypted', p_secret_encrypted,
            'encryption_key_id', p_encryption_key_id
        ), '{secret_encrypted}'
    );
    update pgmq.q_webhook as q set vt = clock_timestamp()
    where
        q.message ->> 'customer' = encode(v_customer_hk, 'hex') and q.last_read_at is null
        and q.vt > clock_timestamp();
    return v_number;
end
$$;

comment on function admin.sp_set_webhook_secret(text, bytea, bytea, bytea, text, interval) is
'Sets a customer''s next webhook secret, sealed; those before it sign beside it for p_overlap. Returns its number.';
