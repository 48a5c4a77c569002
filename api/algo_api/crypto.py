"""Encryption of broker credentials: AES-256-GCM, bound to the row and field they belong to.

The associated data is `row id | field | key version`: a ciphertext that is moved to another row, field or version does
not decrypt. The nonce is 96 random bits (NIST SP 800-38D, 8.2.2), stored before the ciphertext.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12


class DecryptionError(Exception):
    """A credential cannot be read: wrong key, or the stored bytes were changed or moved."""


class Encrypt(Protocol):
    """Ciphertext of a secret text and the version of the key."""

    def __call__(self, secret: str, *, row_id: str, field: str) -> tuple[bytes, int]: ...


class Decrypt(Protocol):
    """The secret text.

    Raises:
        DecryptionError: the key is unknown or the bytes do not belong here.
    """

    def __call__(self, ciphertext: bytes, *, row_id: str, field: str, key_version: int) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialCipher:
    """Encrypts and decrypts credentials."""

    encrypt_aes256: Encrypt
    decrypt_aes256: Decrypt


def create_credential_cipher(keys: Mapping[int, bytes], current: int) -> CredentialCipher:
    """A cipher that writes with the current key and reads with all."""
    ciphers = {version: AESGCM(key) for version, key in keys.items()}

    def encrypt_aes256(secret: str, *, row_id: str, field: str) -> tuple[bytes, int]:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = ciphers[current].encrypt(nonce, secret.encode(), _bound_to(row_id, field, current))
        return nonce + sealed, current

    def decrypt_aes256(ciphertext: bytes, *, row_id: str, field: str, key_version: int) -> str:
        cipher = ciphers.get(key_version)
        if cipher is None:
            raise DecryptionError(f"no key of version {key_version}; add it to AES_PREVIOUS_KEYS")
        nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, sealed, _bound_to(row_id, field, key_version)).decode()
        except (InvalidTag, ValueError) as error:
            raise DecryptionError(f"the {field} of {row_id} cannot be decrypted; enter it again") from error

    return CredentialCipher(encrypt_aes256=encrypt_aes256, decrypt_aes256=decrypt_aes256)


def _bound_to(row_id: str, field: str, key_version: int) -> bytes:
    return f"{row_id}|{field}|{key_version}".encode()
