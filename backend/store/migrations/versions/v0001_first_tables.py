"""The first tables. Written once: a later change is a later version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("n_bytes", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "audits",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=200), nullable=False),
        sa.Column("prompt_set", sa.Text(), nullable=False),
        sa.Column("prompt_set_id", sa.String(length=80), nullable=True),
        sa.Column("n_prompts", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("spec_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("started", sa.Float(), nullable=True),
        sa.Column("finished", sa.Float(), nullable=True),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("report_sha256", sa.String(length=64), nullable=True),
        sa.Column("completions_sha256", sa.String(length=64), nullable=True),
        sa.Column("directions_sha256", sa.String(length=64), nullable=True),
        sa.Column("refusal_rate", sa.Float(), nullable=True),
        sa.Column("over_refusal_rate", sa.Float(), nullable=True),
        sa.Column("flipped_minimal", sa.Float(), nullable=True),
        sa.Column("flipped_random", sa.Float(), nullable=True),
        sa.Column("flipped_direction", sa.Float(), nullable=True),
        sa.Column("minimal_set_size", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index(op.f("ix_audits_created"), "audits", ["created"], unique=False)
    op.create_index(op.f("ix_audits_job_id"), "audits", ["job_id"], unique=False)
    op.create_index(op.f("ix_audits_spec_sha256"), "audits", ["spec_sha256"], unique=False)
    op.create_index(op.f("ix_audits_state"), "audits", ["state"], unique=False)
    op.create_index(op.f("ix_audits_subject_id"), "audits", ["subject_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("args", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("started", sa.Float(), nullable=True),
        sa.Column("finished", sa.Float(), nullable=True),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("lease", sa.Float(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_claim", "jobs", ["state", "priority", "created"], unique=False)
    op.create_table(
        "prompt_sets",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_own", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("notes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_sets")),
    )
    op.create_index(op.f("ix_prompt_sets_sha256"), "prompt_sets", ["sha256"], unique=False)
    op.create_table(
        "shards",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("audit_id", sa.String(length=40), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("n_bytes", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shards")),
    )
    op.create_index(op.f("ix_shards_audit_id"), "shards", ["audit_id"], unique=False)
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("saes", sa.Text(), nullable=True),
        sa.Column("layers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("check", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("checked", sa.Float(), nullable=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "feature_prompts",
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("feature", sa.String(length=40), nullable=False),
        sa.Column("prompt_id", sa.String(length=200), nullable=False),
        sa.Column("activation", sa.Float(), nullable=False),
        sa.Column("effect", sa.Float(), nullable=True),
        sa.Column("in_minimal_set", sa.Boolean(), nullable=False),
        sa.Column("woke", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audits.id"], name=op.f("fk_feature_prompts_audit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit_id", "feature", "prompt_id", name=op.f("pk_feature_prompts")),
    )
    op.create_index("ix_feature_prompts_rank", "feature_prompts", ["audit_id", "feature", "activation"], unique=False)
    op.create_table(
        "features",
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("feature", sa.String(length=40), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("cosine", sa.Float(), nullable=False),
        sa.Column("density", sa.Float(), nullable=False),
        sa.Column("activation_harmful", sa.Float(), nullable=True),
        sa.Column("activation_benign", sa.Float(), nullable=True),
        sa.Column("coverage_harmful", sa.Float(), nullable=True),
        sa.Column("coverage_benign", sa.Float(), nullable=True),
        sa.Column("effect", sa.Float(), nullable=True),
        sa.Column("in_minimal_sets", sa.Integer(), nullable=False),
        sa.Column("woken", sa.Integer(), nullable=False),
        sa.Column("neuronpedia_id", sa.Text(), nullable=True),
        sa.Column("record", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_features_audit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("audit_id", "feature", name=op.f("pk_features")),
    )
    op.create_index("ix_features_cosine", "features", ["audit_id", "cosine"], unique=False)
    op.create_index(
        "ix_features_counts", "features", ["audit_id", "layer", "cosine", "in_minimal_sets", "woken"], unique=False
    )
    op.create_index("ix_features_effect", "features", ["audit_id", "effect"], unique=False)
    op.create_index("ix_features_number", "features", ["audit_id", "number", "layer"], unique=False)
    op.create_index("ix_features_place", "features", ["audit_id", "layer", "number"], unique=False)
    op.create_index("ix_features_sets", "features", ["audit_id", "in_minimal_sets"], unique=False)
    op.create_table(
        "links",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("revoked", sa.Float(), nullable=True),
        sa.Column("last_used", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_links_audit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_audit_id"), "links", ["audit_id"], unique=False)
    op.create_table(
        "prompt_results",
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("prompt_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("split", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("set_size", sa.Integer(), nullable=True),
        sa.Column("k", sa.Integer(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=True),
        sa.Column("random_flips", sa.Float(), nullable=True),
        sa.Column("flipped_direction", sa.Boolean(), nullable=True),
        sa.Column("flipped_fm", sa.Boolean(), nullable=True),
        sa.Column("flipped_probe", sa.Boolean(), nullable=True),
        sa.Column("story", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audits.id"], name=op.f("fk_prompt_results_audit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit_id", "prompt_id", name=op.f("pk_prompt_results")),
    )
    op.create_index(
        "ix_prompt_results_counts", "prompt_results", ["audit_id", "split", "set_size", "depth"], unique=False
    )
    op.create_index("ix_prompt_results_order", "prompt_results", ["audit_id", "position"], unique=False)
    op.create_index("ix_prompt_results_score", "prompt_results", ["audit_id", "score"], unique=False)
    op.create_index("ix_prompt_results_set_size", "prompt_results", ["audit_id", "set_size"], unique=False)
    op.create_index("ix_prompt_results_slice", "prompt_results", ["audit_id", "outcome", "category"], unique=False)
    op.create_table(
        "prompts",
        sa.Column("set_id", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("split", sa.String(length=16), nullable=False),
        sa.Column("matches", sa.Text(), nullable=True),
        sa.Column("borrowed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["prompt_sets.id"], name=op.f("fk_prompts_set_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("set_id", "position", name=op.f("pk_prompts")),
    )
    op.create_table(
        "reveals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("prompt_id", sa.String(length=200), nullable=False),
        sa.Column("completion", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_reveals_audit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveals")),
    )
    op.create_index(op.f("ix_reveals_audit_id"), "reveals", ["audit_id"], unique=False)
    op.create_table(
        "saved_sets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("audit_id", sa.String(length=40), nullable=False),
        sa.Column("prompt_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("intervention", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_saved_sets_audit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_sets")),
    )
    op.create_index(op.f("ix_saved_sets_audit_id"), "saved_sets", ["audit_id"], unique=False)
