"""Asymmetric and HMAC keys, pairs, rotation, grants."""
import hashlib

import scenario
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from scenario import check, refused, same


def make(kms, spec, usage):
    return kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]


def test_signing(server):
    kms = server.client("kms")
    refused("ValidationException", kms.create_key, KeySpec="RSA_2048")
    refused("ValidationException", make, kms, "ECC_NIST_P256", "ENCRYPT_DECRYPT")
    meta = make(kms, "RSA_2048", "SIGN_VERIFY")
    same((meta["KeySpec"], "RSASSA_PSS_SHA_256" in meta["SigningAlgorithms"], "EncryptionAlgorithms" in meta),
         ("RSA_2048", True, False))
    key = dict(KeyId=meta["KeyId"], SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
    signature = kms.sign(Message=b"hello", **key)["Signature"]
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=meta["KeyId"])["PublicKey"])
    public.verify(signature, b"hello", padding.PKCS1v15(), hashes.SHA256())
    check(kms.verify(Message=b"hello", Signature=signature, **key)["SignatureValid"])
    check(kms.verify(Message=hashlib.sha256(b"hello").digest(), MessageType="DIGEST", Signature=signature,
                     **key)["SignatureValid"])
    refused("KMSInvalidSignatureException", kms.verify, Message=b"jello", Signature=signature, **key)
    refused("ValidationException", kms.sign, Message=b"short", MessageType="DIGEST", **key)
    refused("InvalidKeyUsageException", kms.sign, Message=b"x", KeyId=meta["KeyId"], SigningAlgorithm="ECDSA_SHA_256")
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=meta["KeyId"], Plaintext=b"x")
    refused("UnsupportedOperationException", kms.enable_key_rotation, KeyId=meta["KeyId"])
    curve = make(kms, "ECC_NIST_P384", "SIGN_VERIFY")["KeyId"]
    signature = kms.sign(KeyId=curve, Message=b"m", SigningAlgorithm="ECDSA_SHA_384")["Signature"]
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=curve)["PublicKey"])
    public.verify(signature, b"m", ec.ECDSA(hashes.SHA384()))


def test_rsa_encrypts_and_curves_agree(server):
    kms = server.client("kms")
    key = make(kms, "RSA_2048", "ENCRYPT_DECRYPT")["KeyId"]
    how = dict(KeyId=key, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    sealed = kms.encrypt(Plaintext=b"secret", **how)["CiphertextBlob"]
    same(kms.decrypt(CiphertextBlob=sealed, **how)["Plaintext"], b"secret")
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed, KeyId=key,
            EncryptionAlgorithm="RSAES_OAEP_SHA_1")
    refused("ValidationException", kms.encrypt, Plaintext=b"x" * 300, **how)
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
    moved = kms.re_encrypt(CiphertextBlob=sealed, SourceKeyId=key, SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
                           DestinationKeyId=symmetric)["CiphertextBlob"]
    same(kms.decrypt(CiphertextBlob=moved)["Plaintext"], b"secret")
    own = make(kms, "ECC_NIST_P256", "KEY_AGREEMENT")["KeyId"]
    other = ec.generate_private_key(ec.SECP256R1())
    der = other.public_key().public_bytes(serialization.Encoding.DER,
                                          serialization.PublicFormat.SubjectPublicKeyInfo)
    secret = kms.derive_shared_secret(KeyId=own, KeyAgreementAlgorithm="ECDH", PublicKey=der)["SharedSecret"]
    mine = serialization.load_der_public_key(kms.get_public_key(KeyId=own)["PublicKey"])
    same(secret, other.exchange(ec.ECDH(), mine))
    pair = kms.generate_data_key_pair(KeyId=symmetric, KeyPairSpec="ECC_NIST_P256", EncryptionContext={"a": "b"})
    same(kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"],
         pair["PrivateKeyPlaintext"])
    serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)


def test_macs(server):
    kms = server.client("kms")
    key = make(kms, "HMAC_256", "GENERATE_VERIFY_MAC")["KeyId"]
    how = dict(KeyId=key, MacAlgorithm="HMAC_SHA_256")
    mac = kms.generate_mac(Message=b"m", **how)["Mac"]
    same(len(mac), 32)
    check(kms.verify_mac(Message=b"m", Mac=mac, **how)["MacValid"])
    refused("KMSInvalidMacException", kms.verify_mac, Message=b"n", Mac=mac, **how)
    refused("InvalidKeyUsageException", kms.generate_mac, KeyId=key, MacAlgorithm="HMAC_SHA_512", Message=b"m")


def test_rotation(server):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    first = kms.encrypt(KeyId=key, Plaintext=b"1")["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    second = kms.encrypt(KeyId=key, Plaintext=b"2")["CiphertextBlob"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    server.advance("91d")
    status = kms.get_key_rotation_status(KeyId=key)
    same((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    same([r["RotationType"] for r in kms.list_key_rotations(KeyId=key)["Rotations"]], ["ON_DEMAND", "AUTOMATIC"])
    same([kms.decrypt(CiphertextBlob=b)["Plaintext"] for b in (first, second)], [b"1", b"2"])
    kms.disable_key_rotation(KeyId=key)
    server.advance("200d")
    same(len(kms.list_key_rotations(KeyId=key)["Rotations"]), 2)


def test_grants(_):
    server = scenario.Server("--iam", "enforce")
    try:
        granted(server)
    finally:
        server.remove()


def granted(server):
    account = "220000000001"
    iam, kms = server.client("iam", key=account), server.client("kms", key=account)
    iam.create_user(UserName="u")
    k = iam.create_access_key(UserName="u")["AccessKey"]
    mine = server.client("kms", key=k["AccessKeyId"], secret=k["SecretAccessKey"])
    arn, key = f"arn:aws:iam::{account}:user/u", kms.create_key()["KeyMetadata"]["KeyId"]
    use = dict(KeyId=key, Plaintext=b"x", EncryptionContext={"app": "a", "more": "b"})
    refused("AccessDeniedException", mine.encrypt, **use)
    grant = kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt", "Decrypt", "RetireGrant"],
                             Constraints={"EncryptionContextSubset": {"app": "a"}}, Name="n")
    same(kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt", "Decrypt", "RetireGrant"],
                          Constraints={"EncryptionContextSubset": {"app": "a"}}, Name="n")["GrantId"], grant["GrantId"])
    sealed = mine.encrypt(**use)["CiphertextBlob"]
    same(mine.decrypt(CiphertextBlob=sealed, EncryptionContext=use["EncryptionContext"])["Plaintext"], b"x")
    refused("AccessDeniedException", mine.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"app": "z"})
    refused("AccessDeniedException", mine.generate_data_key, KeyId=key, KeySpec="AES_256")
    same([g["GrantId"] for g in kms.list_grants(KeyId=key)["Grants"]], [grant["GrantId"]])
    mine.retire_grant(GrantToken=grant["GrantToken"])
    refused("AccessDeniedException", mine.encrypt, **use)
    again = kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt"], RetiringPrincipal=arn)["GrantId"]
    mine.encrypt(**use)
    same(len(kms.list_retirable_grants(RetiringPrincipal=arn)["Grants"]), 1)
    kms.revoke_grant(KeyId=key, GrantId=again)
    refused("AccessDeniedException", mine.encrypt, **use)
    refused("NotFoundException", kms.revoke_grant, KeyId=key, GrantId=again)


def test_digests_have_their_length(server):
    kms = server.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    how = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256"}
    signed = kms.sign(Message=b"m", **how)["Signature"]
    for call, more in (kms.sign, {}), (kms.verify, {"Signature": signed}):
        same(refused("ValidationException", call, Message=b"m", MessageType="DIGEST", **how, **more),
             "Digest is invalid length for algorithm ECDSA_SHA_256.")
    same(refused("ValidationException", kms.delete_alias, AliasName="wrong/none"), "Invalid identifier")
