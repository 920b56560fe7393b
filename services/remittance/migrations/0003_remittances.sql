create table remittance.era_file (
    tenant_id text not null,
    id text not null,
    practice_id text,
    content_hash text not null,
    source text not null,
    reference text,
    body_sealed text not null,
    status text not null,
    received_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, content_hash)
);
create table remittance.era (
    tenant_id text not null,
    id text not null,
    file_id text not null,
    position int not null,
    practice_id text,
    payer_id text,
    payer_name text not null,
    payer_identifier text not null,
    payee_npi text not null,
    trace text not null,
    method text not null,
    amount_cents bigint not null,
    claims_cents bigint not null,
    provider_adjustment_cents bigint not null,
    difference_cents bigint not null,
    fingerprint text not null,
    paid_on date not null,
    status text not null,
    reason text,
    decision text,
    decided_by text,
    decided_at timestamptz,
    deposit_id text,
    version bigint not null default 1,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index era_posted_once on remittance.era (tenant_id, payer_identifier, trace, amount_cents, fingerprint)
    where status in ('received', 'posted', 'waiting');
create index era_by_status on remittance.era (tenant_id, status, created_at);
create index era_by_trace on remittance.era (tenant_id, trace);
create table remittance.era_claim (
    tenant_id text not null,
    id text not null,
    era_id text not null,
    practice_id text,
    position int not null,
    pcn text not null,
    pcn_key text not null,
    clp02 text not null,
    icn text not null,
    original_reference text not null,
    charge_cents bigint not null,
    paid_cents bigint not null,
    patient_responsibility_cents bigint not null,
    member_key text,
    content jsonb not null,
    difference_cents bigint not null,
    difference text,
    status text not null,
    reason text,
    claim_id text,
    submission_id text,
    match text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, era_id, position)
);
create index era_claim_waiting on remittance.era_claim (tenant_id, created_at, id) where status = 'waiting';
create index era_claim_waiting_pcn on remittance.era_claim (tenant_id, pcn_key) where status = 'waiting';
create index era_claim_waiting_member on remittance.era_claim (tenant_id, member_key) where status = 'waiting';
create index era_claim_by_claim on remittance.era_claim (tenant_id, claim_id);
create table remittance.posting (
    tenant_id text not null,
    id text not null,
    era_id text not null,
    era_claim_id text not null,
    practice_id text not null,
    claim_id text not null,
    submission_id text not null,
    payer_id text not null,
    rank int not null,
    attempt int not null,
    entry text not null,
    outcome text not null,
    clp02 text not null,
    icn text not null,
    paid_cents bigint not null,
    paid_on date not null,
    forwarded boolean not null,
    first_pass boolean not null,
    ordering text[] not null,
    reverses text,
    reversed_by text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, era_claim_id)
);
create index posting_by_claim on remittance.posting (tenant_id, claim_id);
create index posting_by_icn on remittance.posting (tenant_id, icn);
create unique index posting_reversed_once on remittance.posting (tenant_id, reverses) where reverses is not null;
create table remittance.posting_line (
    tenant_id text not null,
    posting_id text not null,
    line_id text not null,
    practice_id text not null,
    charge_cents bigint not null,
    paid_cents bigint not null,
    contractual_cents bigint not null,
    patient_cents bigint not null,
    denied_cents bigint not null,
    withheld_cents bigint not null,
    explained_cents bigint not null,
    unknown_cents bigint not null,
    adjustments jsonb not null,
    remark_codes text[] not null,
    primary key (tenant_id, posting_id, line_id)
);
create table remittance.denial (
    tenant_id text not null,
    id text not null,
    posting_id text not null,
    claim_id text not null,
    line_id text not null,
    practice_id text not null,
    payer_id text not null,
    denied_cents bigint not null check (denied_cents > 0),
    group_code text not null,
    reason_code text not null,
    remark_codes text[] not null,
    resolution text,
    resolution_sequence bigint not null default 0,
    raised_on date not null,
    primary key (tenant_id, id),
    unique (tenant_id, posting_id, line_id)
);
create index denial_by_claim on remittance.denial (tenant_id, claim_id);
create table remittance.provider_adjustment (
    tenant_id text not null,
    id text not null,
    era_id text not null,
    practice_id text,
    position int not null,
    provider_npi text not null,
    code text not null,
    reference text not null,
    amount_cents bigint not null,
    account text not null,
    claim_id text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, era_id, position)
);
create index provider_adjustment_by_reference on remittance.provider_adjustment (tenant_id, reference);
create table remittance.deposit (
    tenant_id text not null,
    id text not null,
    practice_id text,
    trace text not null,
    amount_cents bigint not null check (amount_cents > 0),
    deposited_on date not null,
    reference text,
    status text not null,
    era_id text,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index deposit_once on remittance.deposit (tenant_id, trace, amount_cents, deposited_on, coalesce(reference, ''));
create index deposit_by_status on remittance.deposit (tenant_id, status, created_at);
