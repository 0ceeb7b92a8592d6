create or replace function admin.sp_identify_usage_export(p_export text) returns bytea
language sql stable
security definer
set search_path = ''
return (admin.fn_find_export(p_export)).usage_export_hk;

comment on function admin.sp_identify_usage_export(text) is 'The identity that an export''s key is to be sealed for.';
