"""What a pipeline or a kernel sees, keeps and costs."""
