begin;
select plan(4);
select test.make_offer('maker', 'whole', 1, 1, '{"context_tokens": 1000}');
select test.make_offer('maker', 'cut', 1, 1, '{"context_tokens": 1000, "context_is_price_limit": true}');
select test.make_customer('writer');
-- 3,000 bytes are some 750 tokens, and 1,524 by the upper estimate.
select is((test.route(sha256('writer/token'), '{"model": "whole", "prompt_bytes": 3000}')).status, 'routed', 'a context is the provider''s to judge');
select is((test.route(sha256('writer/token'), '{"model": "cut", "prompt_bytes": 3000}')).status, 'invalid_request', 'a dearer price is not risked');
select is((test.route(sha256('writer/token'), '{"model": "cut", "prompt_bytes": 1900}')).status, 'routed', 'below the limit for certain');
select is((test.route(sha256('writer/token'), '{"model": "whole", "prompt_bytes": 6000}')).status, 'invalid_request', 'what cannot fit is refused');
select * from finish();
rollback;
