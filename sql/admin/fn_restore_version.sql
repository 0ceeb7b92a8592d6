-- What comes back must fit what is there now: it goes through whatever checks it when somebody writes it.
create or replace function admin.fn_restore_version(p_satellite regclass, p_key jsonb, p_row jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_hk bytea;
begin
    if p_satellite = 'gateway.subscription_s'::regclass then
        return admin.fn_save_subscription((p_key ->> 'subscription_hk')::bytea, (p_key ->> 'valid_from')::date, p_row);
    elsif p_satellite = 'gateway.plan_s'::regclass then
        return admin.fn_save_plan((p_key ->> 'plan_hk')::bytea, p_row);
    elsif p_satellite = 'gateway.tax_rate_s'::regclass then
        return admin.fn_save_tax_rate(h.tax_bk, (p_key ->> 'valid_from')::date, p_row)
        from gateway.tax_h as h
        where h.tax_hk = (p_key ->> 'tax_hk')::bytea;
    elsif p_satellite = 'gateway.legal_entity_s'::regclass then
        -- Who is the default, and the prefix that numbers bear, are not of then but of now.
        v_hk := (p_key ->> 'legal_entity_hk')::bytea;
        return admin.fn_save_legal_entity(v_hk, p_row - 'is_default' || coalesce((
            select jsonb_build_object('invoice_prefix', s.invoice_prefix)
            from gateway.legal_entity_s as s
            where s.legal_entity_hk = v_hk and s.load_end_date is null
        ), '{}'), null);
    elsif p_satellite = 'gateway.customer_billing_s'::regclass then
        perform admin.fn_find_legal_entity(h.legal_entity_bk)
        from gateway.legal_entity_h as h
        where h.legal_entity_hk = (p_row ->> 'legal_entity_hk')::bytea;
        perform admin.fn_find_tax(h.tax_bk) from gateway.tax_h as h where h.tax_hk = (p_row ->> 'tax_hk')::bytea;
        perform admin.fn_clean_currency(p_row ->> 'currency');
    end if;
    return admin.fn_save_satellite(p_satellite, p_key, p_row);
end
$$;

comment on function admin.fn_restore_version(regclass, jsonb, jsonb) is
'Loads an earlier version again by the rules of its view; true when it is another than the one in force.';
