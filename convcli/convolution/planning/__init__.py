"""Predicting costs, choosing a backend, and measuring this machine."""
