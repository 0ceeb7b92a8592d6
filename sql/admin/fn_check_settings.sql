-- A setting that nobody reads would be taken without a word, and be missed when a call is made.
create or replace function admin.fn_list_settings(p_adapter_kind text) returns table (setting text, json_type text)
language sql stable
set search_path = ''
begin atomic
    select k.setting, k.json_type
    from (
        values
        (null, 'region', 'string'), (null, 'headers', 'object'),
        ('anthropic', 'betas', 'array'), ('cohere', 'models', 'string'), ('google', 'vertex', 'boolean'),
        ('openai', 'max_tokens_field', 'string'), ('openai', 'stream_usage', 'boolean'), ('openai', 'path', 'string'),
        ('openai', 'root', 'string'), ('openai', 'query', 'object'), ('openai', 'paths', 'object'),
        ('openai', 'auth_header', 'string'), ('openai', 'auth_prefix', 'string'), ('openai', 'drop', 'array'),
        ('openai', 'rename', 'object'), ('openai', 'fields', 'object'), ('openai', 'responses', 'boolean'),
        ('openai', 'translated', 'array'), ('openai', 'signed', 'boolean'), ('openai', 'call_id_size', 'number'),
        ('openai', 'context_marks', 'array'), ('openai', 'message_fields', 'array')
    ) as k (adapter_kind, setting, json_type)
    where
        k.adapter_kind is null
        or k.adapter_kind = case when p_adapter_kind in ('azure', 'mistral') then 'openai' else p_adapter_kind end;
end;

comment on function admin.fn_list_settings(text) is
'What adapter_settings may hold for a kind of adapter, and of which type of JSON. The region is what prices ask for.';

create or replace function admin.fn_check_settings(p_adapter_kind text, p_settings jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_wrong record;
begin
    if jsonb_typeof(p_settings) <> 'object' then
        return p_settings;  -- which the table refuses
    end if;
    select s.key, k.json_type into v_wrong
    from jsonb_each(p_settings) as s
    left join admin.fn_list_settings(p_adapter_kind) as k on s.key = k.setting
    where k.setting is null or jsonb_typeof(s.value) <> k.json_type
    order by s.key limit 1;
    if found then
        perform admin.fn_refuse_change(
            400, 'setting_is_known',
            case
                when v_wrong.json_type is null
                    then format('adapter_settings of kind %s have no %L', p_adapter_kind, v_wrong.key)
                else format('%s of adapter_settings is no %s', v_wrong.key, v_wrong.json_type)
            end,
            (
                select 'There are ' || string_agg(format('%s (%s)', k.setting, k.json_type), ', ' order by k.setting) || '.'
                from admin.fn_list_settings(p_adapter_kind) as k
            )
        );
    end if;
    return p_settings;
end
$$;

comment on function admin.fn_check_settings(text, jsonb) is
'The settings, if an adapter of this kind reads each of them.';
