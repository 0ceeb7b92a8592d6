create or replace function admin.tg_compliance_fact_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_offer_hk bytea := admin.fn_find_offer(new.provider, new.model);
    v_level text := (admin.fn_clean_levels(array[new.compliance_level]))[1];
    v_valid_from timestamptz := coalesce(new.valid_from, '-infinity');
begin
    perform admin.fn_refuse_readonly(to_jsonb(new), null, '{is_in_force}', 'It follows from valid_from and valid_to.');
    if v_level is null then
        perform admin.fn_refuse_change(
            400, 'compliance_level_is_given', 'A compliance fact needs a level', 'Use a word like BAA or ZERO_RETENTION.'
        );
    end if;
    perform admin.fn_lock_name('compliance_fact', new.provider, new.model, v_level);
    if exists (
        select from gateway.offer_compliance_s as s
        where
            s.offer_hk = v_offer_hk and s.compliance_level = v_level and s.valid_from = v_valid_from
            and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'compliance_fact_is_new',
            format('%s/%s has a fact about %s from %s on already', new.provider, new.model, v_level, v_valid_from),
            'Update it, or give another valid_from.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.offer_compliance_s',
        jsonb_build_object('offer_hk', v_offer_hk, 'compliance_level', v_level, 'valid_from', v_valid_from),
        jsonb_build_object(
            'is_met', coalesce(new.is_met, true), 'valid_to', coalesce(new.valid_to, 'infinity'),
            'evidence', nullif(btrim(new.evidence), '')
        )
    );
    select f.* into new
    from gateway.offer_l as l
    inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
    inner join gateway.model_h as mh on l.model_hk = mh.model_hk
    inner join admin.compliance_fact as f
        on f.provider = ph.provider_bk and f.model = mh.model_bk and f.compliance_level = v_level
        and f.valid_from = v_valid_from
    where l.offer_hk = v_offer_hk;
    return new;
end
$$;

create or replace function admin.tg_compliance_fact_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{provider,model,compliance_level,valid_from,is_in_force}',
        'Insert another fact instead, and delete this one.'
    );
    perform admin.fn_save_satellite(
        'gateway.offer_compliance_s',
        jsonb_build_object(
            'offer_hk', util.hash_key(old.provider, old.model), 'compliance_level', old.compliance_level,
            'valid_from', old.valid_from
        ),
        jsonb_build_object(
            'is_met', new.is_met, 'valid_to', new.valid_to, 'evidence', nullif(btrim(new.evidence), '')
        )
    );
    select f.* into new
    from admin.compliance_fact as f
    where
        f.provider = old.provider and f.model = old.model and f.compliance_level = old.compliance_level
        and f.valid_from = old.valid_from;
    return new;
end
$$;

create or replace function admin.tg_compliance_fact_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform util.fn_close_satellite('gateway.offer_compliance_s', jsonb_build_object(
        'offer_hk', util.hash_key(old.provider, old.model), 'compliance_level', old.compliance_level,
        'valid_from', old.valid_from
    ));
    return old;
end
$$;

create trigger compliance_fact_insert instead of insert on admin.compliance_fact
for each row execute function admin.tg_compliance_fact_insert();
create trigger compliance_fact_update instead of update on admin.compliance_fact
for each row execute function admin.tg_compliance_fact_update();
create trigger compliance_fact_delete instead of delete on admin.compliance_fact
for each row execute function admin.tg_compliance_fact_delete();

comment on function admin.tg_compliance_fact_insert() is 'INSERT on admin.compliance_fact: a version.';
comment on function admin.tg_compliance_fact_update() is 'UPDATE on admin.compliance_fact: a new version.';
comment on function admin.tg_compliance_fact_delete() is 'DELETE on admin.compliance_fact: the version ends.';
