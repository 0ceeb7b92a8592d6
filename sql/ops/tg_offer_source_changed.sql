-- Offers, prices, compliance facts, providers and the house's keys: each change is in ops.offer in the same
-- transaction.
create or replace function ops.tg_offer_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_offers(array(select distinct c.offer_hk from changed as c));
    return null;
end
$$;

create or replace function ops.tg_ai_provider_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_provider_rates(array(select c.provider_hk from changed as c));
    perform ops.fn_refresh_offers(array(
        select l.offer_hk from gateway.offer_l as l where l.provider_hk in (select c.provider_hk from changed as c)
    ));
    return null;
end
$$;

create or replace function ops.tg_ai_provider_key_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    -- A key that was set anew is no longer the one that was refused; one that its provider's list of models took is.
    delete from ops.key_health as k where k.provider_key_hk in (
        select c.provider_key_hk from changed as c where c.load_end_date is null and c.record_source <> 'validation'
    );
    perform ops.fn_refresh_offers(array(
        select l.offer_hk
        from gateway.offer_l as l
        inner join gateway.ai_provider_key_h as h on l.provider_hk = h.provider_hk
        where h.provider_key_hk in (select c.provider_key_hk from changed as c)
    ));
    return null;
end
$$;

create or replace trigger offer_s_added after insert on gateway.offer_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_s_closed after update on gateway.offer_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_price_s_added after insert on gateway.offer_price_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_price_s_closed after update on gateway.offer_price_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_compliance_s_added after insert on gateway.offer_compliance_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_compliance_s_closed after update on gateway.offer_compliance_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_usage_s_added after insert on gateway.offer_usage_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_usage_s_closed after update on gateway.offer_usage_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_quality_s_added after insert on gateway.offer_quality_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger offer_quality_s_closed after update on gateway.offer_quality_s
referencing new table as changed for each statement execute function ops.tg_offer_s_changed();
create or replace trigger ai_provider_s_added after insert on gateway.ai_provider_s
referencing new table as changed for each statement execute function ops.tg_ai_provider_s_changed();
create or replace trigger ai_provider_s_closed after update on gateway.ai_provider_s
referencing new table as changed for each statement execute function ops.tg_ai_provider_s_changed();
create or replace trigger ai_provider_key_s_added after insert on gateway.ai_provider_key_s
referencing new table as changed for each statement execute function ops.tg_ai_provider_key_s_changed();
create or replace trigger ai_provider_key_s_closed after update on gateway.ai_provider_key_s
referencing new table as changed for each statement execute function ops.tg_ai_provider_key_s_changed();
