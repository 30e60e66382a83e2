"""`python -m app.temporal_download VERSION FOLDER`: let the SDK put the Temporal CLI into FOLDER.

The SDK downloads only on the way to starting a server, so one is started and stopped at once.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment


async def download(version: str, folder: str) -> None:
    """Fetch the CLI; any failure is the caller's to report."""
    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=folder,
        dev_server_download_version=version,
        dev_server_startup_timeout=timedelta(seconds=60),
    )
    await environment.shutdown()


if __name__ == "__main__":
    asyncio.run(download(sys.argv[1], sys.argv[2]))
