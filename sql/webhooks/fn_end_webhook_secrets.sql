create or replace function admin.fn_end_webhook_secrets(p_customer_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform util.fn_close_satellite(
        'gateway.webhook_secret_s', jsonb_build_object('webhook_secret_hk', h.webhook_secret_hk)
    )
    from gateway.webhook_secret_h as h
    where h.customer_hk = p_customer_hk;
end
$$;

comment on function admin.fn_end_webhook_secrets(bytea) is 'Ends all webhook secrets of a customer that is deleted.';
