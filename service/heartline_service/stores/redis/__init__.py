"""The store in Redis or a Redis Cluster, which several nodes may share. docs/redis.md is for its users."""
