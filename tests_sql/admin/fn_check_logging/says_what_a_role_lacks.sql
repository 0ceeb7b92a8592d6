begin;
select plan(4);
select is((select c.is_ok from admin.fn_check_logging() as c), true, 'migrated by a superuser all is set');
alter role onevault_app reset log_min_messages;
alter role onevault_worker set log_statement = 'all';
select is((select c.is_ok from admin.fn_check_logging() as c), false, 'one is missing, another is wrong');
select is((select c.finding from admin.fn_check_logging() as c), '2 settings are missing that keep values out of the log', 'it counts them');
select is((select c.remedy from admin.fn_check_logging() as c),
    'As a superuser: alter role onevault_app set log_min_messages = ''fatal''; alter role onevault_worker set log_statement = ''none'';',
    'and says how to mend it');
select * from finish();
rollback;
