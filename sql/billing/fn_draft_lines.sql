-- What a month costs, line by line, exact in USD and before tax: usage by provider and model, services, what plans
-- include of it, what came late or was corrected, promotions. As known at a moment by what was in the books then; plans
-- are those that are known now.
create or replace function gateway.fn_draft_lines(
    p_customer_hk bytea, p_customer text, p_month date, p_usage jsonb, p_known_at timestamptz default null
) returns setof gateway.invoice_line_s
language plpgsql
stable
set search_path = ''
as $$
declare
    v_line gateway.invoice_line_s;
    v_empty gateway.invoice_line_s;
    v_usage record;
    v_fee record;
    v_lines gateway.invoice_line_s[] := '{}';
    v_late gateway.invoice_line_s[] := '{}';
    v_included numeric := 0;
    v_taken numeric := 0;
    v_used numeric := 0;
    v_sum numeric := 0;
    v_undated numeric;
begin
    v_empty.customer_hk := p_customer_hk;
    for v_usage in
        select u.*
        from gateway.fn_unpack_usage(p_usage) as u
        where u.usage_month = p_month and (u.charge_usd <> 0 or u.total_tokens > 0)
        order by u.charge_usd desc, u.provider, u.model
    loop
        v_line := v_empty;
        v_line.line_kind := 'USAGE';
        v_line.description := concat_ws('/', v_usage.provider, v_usage.model);
        v_line.usage_period := p_month;
        v_line.provider := v_usage.provider;
        v_line.model := v_usage.model;
        v_line.requests := v_usage.requests;
        v_line.input_tokens := v_usage.input_tokens;
        v_line.cache_read_tokens := v_usage.cache_read_tokens;
        v_line.cache_write_tokens := v_usage.cache_write_tokens;
        v_line.output_tokens := v_usage.output_tokens;
        v_line.total_tokens := v_usage.total_tokens;
        v_line.provider_cost_usd := v_usage.provider_cost_usd;
        v_line.markup_usd := v_usage.markup_usd;
        v_line.exact_usd := v_usage.charge_usd;
        v_used := v_used + v_line.exact_usd;
        v_lines := v_lines || v_line;
        return next v_line;
    end loop;

    for v_fee in select f.* from gateway.fn_list_fees(p_customer_hk, p_month) as f order by f.plan_name, f.first_day loop
        v_line := v_empty;
        v_line.line_kind := 'SERVICE';
        v_line.description := v_fee.plan_name;
        v_line.usage_period := p_month;
        v_line.plan := v_fee.plan;
        v_line.days := v_fee.days;
        v_line.exact_usd := v_fee.fee_usd;
        v_included := v_included + v_fee.included_usd;
        v_sum := v_sum + v_line.exact_usd;
        return next v_line;
    end loop;

    for v_usage in
        select a.* from gateway.fn_list_late_charges(p_customer_hk, p_month, p_usage, p_known_at) as a
        where a.usage_month <= p_month
        order by a.usage_month, a.provider, a.model
    loop
        v_line := v_empty;
        v_line.line_kind := 'ADJUSTMENT';
        v_line.description := case
            when v_usage.provider is null
                then format('Correction of prices of %s', to_char(v_usage.usage_month, 'YYYY-MM'))
            when v_usage.usage_month = p_month then concat_ws('/', 'On another invoice: ' || v_usage.provider, v_usage.model)
            else format('Usage of %s booked later: %s', to_char(v_usage.usage_month, 'YYYY-MM'),
                concat_ws('/', v_usage.provider, v_usage.model))
        end;
        v_line.usage_period := v_usage.usage_month;
        v_line.provider := v_usage.provider;
        v_line.model := v_usage.model;
        v_line.exact_usd := v_usage.charge_usd;
        v_sum := v_sum + v_line.exact_usd;
        v_late := v_late || v_line;
    end loop;

    for v_fee in
        select i.usage_month, i.included_usd
        from gateway.fn_list_included(p_customer_hk, p_month, v_included, v_lines || v_late, p_known_at) as i
        where v_included <> 0 or cardinality(v_late) > 0
    loop
        v_line := v_empty;
        v_line.line_kind := 'INCLUDED';
        v_line.description := case
            when v_fee.usage_month = p_month then 'Usage that your plans include'
            else format('Usage of %s that your plans include', to_char(v_fee.usage_month, 'YYYY-MM'))
        end;
        v_line.usage_period := v_fee.usage_month;
        v_line.exact_usd := -v_fee.included_usd;
        v_sum := v_sum + v_line.exact_usd;
        if v_fee.usage_month = p_month then
            v_taken := greatest(least(v_fee.included_usd, v_used), 0);
            return next v_line;
        else
            v_late := v_late || v_line;
        end if;
    end loop;
    return query select l.* from unnest(v_late) as l;

    v_undated := v_sum + v_taken;
    v_sum := v_sum + v_used;
    for v_fee in
        select p.*
        from gateway.fn_apply_credits(
            p_customer_hk, 'PROMOTION', gateway.fn_list_daily_charges(
                p_customer_hk, p_customer, p_month, v_taken, v_undated, p_known_at
            ), v_sum, p_known_at
        ) as p
    loop
        v_line := v_empty;
        v_line.line_kind := 'PROMOTION';
        v_line.description := v_fee.description;
        v_line.usage_period := p_month;
        v_line.credit_hk := v_fee.credit_hk;
        v_line.exact_usd := -v_fee.amount_usd;
        return next v_line;
    end loop;
end
$$;

comment on function gateway.fn_draft_lines(bytea, text, date, jsonb, timestamptz) is
'The lines of a month before tax, exact in USD; numbers, currency and rounding come later.';
