"""Many images: found, named, filtered by several processes, recorded so that an interrupted run can be taken up."""
