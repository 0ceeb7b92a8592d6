-- What providers will ask for has to be what the books say, as far as they have told it: days that were not imported do
-- not hold a month up.
create or replace function gateway.fn_refuse_unreconciled(p_month date) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_found record;
begin
    if not exists (
        select from gateway.provider_usage_h as h
        where h.usage_day >= p_month and h.usage_day < (p_month + interval '1 month')::date
    ) then
        return;
    end if;
    select
        count(*) over () as number, f.provider, f.usage_day, f.model
    into v_found
    from ops.fn_find_unreconciled(p_month) as f
    order by f.usage_day, f.provider, f.model
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            409, 'providers_say_what_the_books_say',
            format('In %s %s days and models are out of tolerance, the first is %s at %s on %s',
                to_char(p_month::timestamp, 'YYYY-MM'), v_found.number, coalesce(v_found.model, 'all models'),
                v_found.provider, v_found.usage_day),
            'Look into ops.reconciliation; correct prices and rate again, or widen the tolerance.'
        );
    end if;
end
$$;

comment on function gateway.fn_refuse_unreconciled(date) is
'Refuses to close a month in which a provider says something else than the books, by more than is tolerated.';
