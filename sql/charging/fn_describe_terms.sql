create or replace function gateway.fn_describe_terms(p_rules jsonb) returns text
language sql immutable
set search_path = ''
begin atomic
    select string_agg(
        quote_literal(r.rule ->> 'rule') || ': ' || coalesce(r.rule ->> 'meter' || ' ', '')
        || coalesce(
            'at ' || (r.rule ->> 'usd_per_million') || ' USD per million',
            to_char((r.rule ->> 'markup_percent')::numeric, 'SG') || abs((r.rule ->> 'markup_percent')::numeric) || ' %'
        )
        || coalesce(' from ' || (r.rule ->> 'from_month_usd') || ' USD a month', '')
        || coalesce(', at least ' || (r.rule ->> 'minimum_usd') || ' USD', '')
        || case when r.rule ? 'passes_cache_savings' then ', cache savings kept' else '' end,
        '; ' order by r.place
    )
    from jsonb_array_elements(p_rules) with ordinality as r (rule, place);
end;

comment on function gateway.fn_describe_terms(jsonb) is
'Rules of prices as a sentence: what each is called, and how it makes the price.';
