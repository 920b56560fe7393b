-- After a backup has been restored, before anything starts: no number that a clearinghouse or a payer may have seen
-- since the backup was made is ever given out again. By a superuser, whom row-level security does not hold back.
update claims.counter set last = last + 100000;
update eligibility.control_number set last = last + 100000;
