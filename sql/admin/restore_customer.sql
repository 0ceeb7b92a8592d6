create or replace function admin.restore_customer(p_customer text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := util.hash_key(p_customer);
    v_last record;
begin
    select s.load_end_date, to_jsonb(s) - '{customer_hk,load_date,load_end_date,hash_diff,record_source}'::text[] as row
    into v_last
    from gateway.customer_config_s as s
    where s.customer_hk = v_customer_hk
    order by s.load_date desc
    limit 1;
    if v_last.row is null or v_last.load_end_date is null then
        perform admin.fn_refuse_change(
            case when v_last.row is null then 404 else 409 end, 'customer_was_deleted',
            format('There is no deleted customer %s', quote_literal(coalesce(p_customer, ''))),
            'Look for it in admin.customer_history.'
        );
    end if;
    perform admin.fn_find_tenant(n.tenant_bk)
    from gateway.customer_h as h
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    where h.customer_hk = v_customer_hk;
    perform admin.fn_save_satellite(
        'gateway.customer_config_s', jsonb_build_object('customer_hk', v_customer_hk),
        v_last.row || '{"is_active": false}'
    );
end
$$;

comment on function admin.restore_customer(text) is
'Brings a deleted customer back with its last settings, switched off and without tokens: set is_active, issue a token.';
