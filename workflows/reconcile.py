"""The scheduled comparison of journal, venues and workflows: one activity, no decision."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.messages import Activity
    from workflows import names, options


@workflow.defn(name=names.RECONCILE)
class ReconcileWorkflow:
    """Started by a schedule; the activity knows how much is due. A missed turn is made up by the
    next one."""

    @workflow.run
    async def run(self) -> str:
        """What came of it, in words."""
        said: str = await workflow.execute_activity(
            Activity.RECONCILE,
            result_type=str,
            summary="compare with both venues",
            **options.RECONCILE,
        )
        return said
