create or replace function admin.fn_check_length(p_list text[], p_most integer, p_things text) returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
    if cardinality(p_list) > p_most then
        perform admin.fn_refuse_change(
            400, 'lists_are_short', format('This is a list of %s %s', cardinality(p_list), p_things),
            format('Name %s at most.', p_most)
        );
    end if;
end
$$;

comment on function admin.fn_check_length(text[], integer, text) is 'Refuses a list that is longer than any use of it.';

-- Lists as people write them to lists as routing compares them: routing looks for equal texts and forgives nothing.
create or replace function admin.fn_clean_levels(p_levels text[]) returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_level text;
    v_clean text[] := '{}';
begin
    perform admin.fn_check_length(p_levels, 100, 'compliance levels');
    for v_level in
        select distinct upper(btrim(u.level)) from unnest(p_levels) as u (level) where btrim(u.level) <> '' order by 1
    loop
        if v_level !~ '^[A-Z0-9_-]{1,40}$' then
            perform admin.fn_refuse_change(
                400, 'compliance_level_is_a_word', format('%s is no compliance level', quote_literal(v_level)),
                'Use words like HIPAA, GDPR or SOX, one in each element.'
            );
        end if;
        v_clean := v_clean || v_level;
    end loop;
    return v_clean;
end
$$;

comment on function admin.fn_clean_levels(text[]) is 'Compliance levels in upper case, sorted, each once.';

create or replace function admin.fn_clean_providers(p_providers text[]) returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
    perform admin.fn_check_length(p_providers, 100, 'providers');
    perform admin.fn_find_provider(u.provider) from unnest(p_providers) as u (provider);
    return (
        select array_agg(h.provider_bk::text order by u.place)
        from unnest(p_providers) with ordinality as u (provider, place)
        inner join gateway.ai_provider_h as h on h.provider_hk = util.hash_key(u.provider)
    );
end
$$;

comment on function admin.fn_clean_providers(text[]) is
'Names of providers as the vault writes them; refuses unknown ones.';

create or replace function admin.fn_clean_models(p_models text[]) returns text[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_asked text;
    v_known text;
    v_clean text[];
begin
    perform admin.fn_check_length(p_models, 1000, 'models');
    if p_models is not null then
        v_clean := '{}';
    end if;
    foreach v_asked in array coalesce(p_models, '{}') loop
        v_known := coalesce(
            (select h.model_bk from gateway.model_h as h where h.model_hk = util.hash_key(v_asked)),
            (
                select ph.provider_bk || '/' || mh.model_bk
                from gateway.offer_l as l
                inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
                inner join gateway.model_h as mh on l.model_hk = mh.model_hk
                where
                    l.offer_hk = util.hash_key(
                        split_part(v_asked, '/', 1), substr(v_asked, length(split_part(v_asked, '/', 1)) + 2)
                    )
            )
        );
        if v_known is null then
            perform admin.fn_refuse_change(
                404, 'model_exists', format('There is no model %s', quote_literal(coalesce(v_asked, ''))),
                'Look into admin.model; write model, or provider/model.'
            );
        end if;
        v_clean := v_clean || v_known;
    end loop;
    return v_clean;
end
$$;

comment on function admin.fn_clean_models(text[]) is
'Names of models (model, or provider/model) as the vault writes them; refuses unknown ones. NULL stays NULL.';

create or replace function admin.fn_clean_betas(p_betas text[]) returns text[]
language sql immutable
set search_path = ''
begin atomic
    select case when p_betas is not null
        then coalesce(array_agg(distinct btrim(u.beta)) filter (where btrim(u.beta) <> ''), '{}') end
    from unnest(p_betas) as u (beta);
end;

comment on function admin.fn_clean_betas(text[]) is 'Names of beta features, each once. NULL stays NULL.';

create or replace function admin.fn_clean_time_zone(p_time_zone text) returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_name text;
begin
    if p_time_zone is null then
        return null;
    end if;
    select z.name into v_name
    from pg_catalog.pg_timezone_names as z
    where lower(z.name) = lower(btrim(p_time_zone));
    if v_name is null then
        perform admin.fn_refuse_change(
            400, 'time_zone_is_known', format('There is no time zone %s', quote_literal(p_time_zone)),
            'Use an IANA name like Europe/Berlin; pg_timezone_names lists them.'
        );
    end if;
    return v_name;
end
$$;

comment on function admin.fn_clean_time_zone(text) is
'A time zone by its IANA name; refuses an unknown one. NULL stays NULL.';
