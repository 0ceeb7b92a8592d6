-- What the API tells of a month: usage line by line, exact, and the invoice, or what it would be if the month ended
-- now. Usage is read once for both; an invoice needs none. The caller names the tenant by onevault.tenant.
create or replace function gateway.fn_bill_usage(p_customer_hk bytea, p_tenant text, p_customer text, p_month date)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_usage jsonb;
    v_invoice jsonb;
    v_lines jsonb;
begin
    if gateway.fn_find_bill(p_customer_hk, p_month) is null then
        v_usage := gateway.fn_pack_usage(p_customer, p_month);
    else
        select coalesce(jsonb_agg(to_jsonb(u)), '[]') into v_usage
        from gateway.fn_list_usage(p_customer, p_month, (p_month + interval '1 month')::date) as u;
    end if;
    v_invoice := gateway.fn_bill_document(p_customer_hk, p_tenant, p_customer, p_month, null, v_usage);
    select
        jsonb_agg(jsonb_build_object(
            'provider', u.provider, 'model', u.model, 'requests', u.requests, 'input_tokens', u.input_tokens,
            'cache_read_tokens', u.cache_read_tokens, 'cache_write_tokens', u.cache_write_tokens,
            'output_tokens', u.output_tokens, 'total_tokens', u.total_tokens, 'cost_usd', trim_scale(u.charge_usd)
        ) || case when u.own_key_cost_usd > 0
            then jsonb_build_object('own_key_cost_usd', trim_scale(u.own_key_cost_usd)) else '{}'
        end order by u.provider, u.model)
    into v_lines
    from gateway.fn_unpack_usage(v_usage) as u
    where u.usage_month = p_month;
    return jsonb_build_object(
        'object', 'bill', 'customer', p_customer, 'period', to_char(p_month::timestamp, 'YYYY-MM'), 'currency', 'USD',
        'lines', coalesce(v_lines, '[]'), 'total_usd', (v_invoice ->> 'exact_usd')::numeric, 'invoice', v_invoice
    );
end
$$;

comment on function gateway.fn_bill_usage(bytea, text, text, date) is
'A month as the API tells it: a line of usage per provider and model, what all of it comes to in exact USD before tax,
and the invoice with services, credits and tax.';
