-- A report that was imported as another provider's, or of another account, is taken back: its days are as if they had
-- never been imported, and history keeps what was said of them.
create or replace function gateway.sp_forget_provider_usage(
    p_provider text, p_first_day date, p_last_day date, p_reason text
) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_provider_hk bytea := (
        select h.provider_hk from gateway.ai_provider_h as h where h.provider_hk = util.hash_key(coalesce(p_provider, ''))
    );
    v_ended bigint;
begin
    if v_provider_hk is null then
        perform admin.fn_refuse_change(
            404, 'provider_exists', format('There is no provider %s', quote_literal(coalesce(p_provider, ''))),
            'Look into admin.provider.'
        );
    end if;
    if p_first_day is null or p_last_day is null or p_first_day > p_last_day then
        perform admin.fn_refuse_change(
            400, 'days_are_named', 'The first and the last day are to be named', 'Use days in UTC: 2026-11-01 2026-11-30'
        );
    end if;
    if coalesce(btrim(p_reason), '') = '' then
        perform admin.fn_refuse_change(
            400, 'reason_is_given', 'Taking a report back needs a reason', 'Say what was wrong with it.'
        );
    end if;
    lock table gateway.provider_usage_s in share row exclusive mode;
    update gateway.provider_usage_s as s set
        load_end_date = greatest(util.current_load_date(), s.load_date + interval '1 microsecond'),
        ended_by = session_user, end_reason = left('taken back: ' || btrim(p_reason), 500)
    from gateway.provider_usage_h as h
    where
        h.provider_hk = v_provider_hk and h.usage_day between p_first_day and p_last_day
        and s.provider_usage_hk = h.provider_usage_hk and s.load_end_date is null;
    get diagnostics v_ended = row_count;
    return v_ended;
end
$$;

comment on function gateway.sp_forget_provider_usage(text, date, date, text) is
'Takes back what was imported of a provider for some days (UTC, both included): they count as not imported. Tells how
many rows that ends.';
