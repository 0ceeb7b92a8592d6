-- What a provider can be told beyond a conversation: grammars of its own, in which a call is passed on as it came, and
-- parameters that others have no words for. The adapters' own lists say the same; a test compares them.
create or replace function ops.fn_name_grammars(p_adapter_kind text, p_settings jsonb) returns text[]
language sql immutable parallel safe
return string_to_array(case p_adapter_kind
    when 'anthropic' then 'messages top_k thinking reasoning_effort web_search_options'
    when 'google'
        then 'top_k thinking seed logprobs top_logprobs presence_penalty frequency_penalty reasoning_effort dimensions'
    when 'bedrock' then 'top_k thinking reasoning_effort'
    when 'cohere'
        then 'top_k seed presence_penalty frequency_penalty thinking reasoning_effort dimensions '
            'max_tokens_per_doc'
    when 'voyage' then 'dimensions'
    when 'mistral'
        then 'n seed presence_penalty frequency_penalty reasoning_effort prediction dimensions token_input'
    when 'sandbox'
        then 'n seed top_k thinking reasoning_effort logprobs top_logprobs logit_bias presence_penalty '
            'frequency_penalty verbosity prediction dimensions'
    else 'n seed logprobs top_logprobs logit_bias presence_penalty frequency_penalty reasoning_effort verbosity '
        'prediction dimensions token_input'
end || case
    when p_adapter_kind in ('openai', 'azure') and (p_settings ->> 'responses')::boolean then ' responses storage'
    else ''
end, ' ');

comment on function ops.fn_name_grammars(text, jsonb) is
'Names of the grammars and parameters that a kind of provider can be told, among those that not every kind can.';
