"""The computation: from an identity-free exam to corrected series and blood flow."""
