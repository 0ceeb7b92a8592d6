begin;
select plan(12);
create temporary table list as select '{10.0.0.0/8,192.0.2.7/32,2001:db8::/32}'::cidr[] as networks;
select ok(gateway.fn_is_allowed_address(a.address, l.networks), coalesce(a.address, 'unknown') || ' is on the list')
from list as l, unnest('{10.1.2.3,192.0.2.7,2001:db8::1,::ffff:10.1.2.3}'::text[]) as a (address);
select ok(not gateway.fn_is_allowed_address(a.address, l.networks), coalesce(a.address, 'unknown') || ' is not')
from list as l, unnest('{11.1.2.3,192.0.2.8,2001:db9::1,::ffff:11.1.2.3,nonsense,NULL,fe80::1%eth0}'::text[]) as a (address);
select ok(gateway.fn_is_allowed_address(null, null), 'without a list nobody is asked');
select * from finish();
rollback;
