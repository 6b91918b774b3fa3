"""Hears and looks what changes below the avatars root."""
