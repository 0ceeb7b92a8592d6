-- Goes the whole way that every event goes, queue and worker included; it is tried once.
create or replace function admin.sp_test_webhook(p_customer text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_event_id text := gateway.fn_notify(admin.fn_find_customer(p_customer), 'webhook.test', '{}');
begin
    if v_event_id is null then
        perform admin.fn_refuse_change(
            409, 'customer_has_a_webhook_url', format('The customer %s has no webhook_url', quote_literal(p_customer)),
            format('Set it: update admin.customer set webhook_url = ''https://…'' where customer = %L;', p_customer)
        );
    end if;
    return v_event_id;
end
$$;

comment on function admin.sp_test_webhook(text) is
'Sends a customer an event webhook.test; returns its id, under which admin.webhook_delivery tells what became of it.';
