-- By the clock and not where calls are booked: however many customers are to be told, no booking waits for it, and a
-- circuit that flaps is one story. It is told as closed when a success was followed by a minute without failure.
create or replace function ops.fn_tell_circuits() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_circuit record;
    v_told integer := 0;
begin
    for v_circuit in
        with opened as (
            insert into ops.told_circuit as t (offer_hk, opened_at, error_class)
            select h.offer_hk, v_now, h.last_error_class from ops.offer_health as h where h.consecutive_failures >= 3
            on conflict (offer_hk) do nothing
            returning t.offer_hk, t.opened_at, t.error_class
        ),

        closed as (
            delete from ops.told_circuit as t
            using ops.offer_health as h
            where
                h.offer_hk = t.offer_hk and h.consecutive_failures = 0
                and h.last_failed_at < v_now - interval '1 minute'
            returning t.offer_hk, t.opened_at, t.error_class
        )

        select 'circuit.opened' as event, o.offer_hk, jsonb_build_object(
            'opened_at', o.opened_at, 'error_class', o.error_class
        ) as detail
        from opened as o
        union all
        select 'circuit.closed', c.offer_hk, jsonb_build_object('opened_at', c.opened_at, 'closed_at', v_now)
        from closed as c
    loop
        perform gateway.fn_notify(
            s.customer_hk, v_circuit.event,
            v_circuit.detail || jsonb_build_object('provider', p.provider_bk, 'model', m.model_bk)
        )
        from gateway.offer_l as l
        inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
        inner join gateway.model_h as m on l.model_hk = m.model_hk
        cross join gateway.customer_config_s as s
        where
            l.offer_hk = v_circuit.offer_hk and s.load_end_date is null and s.webhook_url is not null
            and exists (
                select from ops.usage_hourly as u
                where
                    u.customer_hk = s.customer_hk and u.usage_hour >= v_now - interval '25 hours'
                    and u.offer_hk = v_circuit.offer_hk
            );
        v_told := v_told + 1;
    end loop;
    return v_told;
end
$$;

comment on function ops.fn_tell_circuits() is
'Tells customers who called a model at a provider within a day that its circuit opened or closed, each once; returns how
many circuits there was something to tell of.';
