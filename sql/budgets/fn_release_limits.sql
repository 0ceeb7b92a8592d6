-- Gives holds back and books what was used, limit by limit in the order in which they are locked. A window that has
-- moved on since keeps out of it. Of a minute's bucket what was not used is given back.
create or replace function gateway.fn_release_limits(p_charges jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_charge record;
begin
    for v_charge in
        select
            decode(c."limit", 'hex') as usage_limit_hk, c."window" as window_number, sum(c.held) as held,
            sum(c.used) as used, floor(sum(c.us * (c.held - c.used) / nullif(c.held, 0)))::bigint as spare_us
        from jsonb_to_recordset(p_charges) as c ("limit" text, "window" integer, held numeric, used numeric, us bigint)
        group by decode(c."limit", 'hex'), c."window"
        order by decode(c."limit", 'hex'), c."window"
    loop
        update ops.usage_limit as l set
            held = l.held - v_charge.held,
            spent = l.spent + v_charge.used
        where
            l.usage_limit_hk = v_charge.usage_limit_hk and l.window_number = v_charge.window_number
            and v_charge.spare_us is null;
        update ops.usage_limit as l set full_at_us = l.full_at_us - v_charge.spare_us
        where l.usage_limit_hk = v_charge.usage_limit_hk and v_charge.spare_us is not null;
    end loop;
end
$$;

comment on function gateway.fn_release_limits(jsonb) is
'Turns what requests held in their limits into what they used.';
