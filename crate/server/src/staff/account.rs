//! Passwords and one-time codes of local accounts.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::Role;

/// Seconds for which one code holds (RFC 6238).
const STEP_SECONDS: i64 = 30;
/// Steps before and after the present whose codes are taken too.
const STEPS_AROUND: i64 = 1;

/// A new account with the secrets its owner is told once.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The name to sign in with.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How events name this person, if they might.
    pub subject: Option<String>,
    /// The Argon2id hash of the password, as a PHC string.
    pub password_hash: String,
    /// The secret of the one-time codes.
    pub totp_secret: Vec<u8>,
    /// The password, if it was made here.
    pub password: String,
    /// The `otpauth:` address for an authenticator app.
    pub totp_uri: String,
}

/// Makes an account, with a password of 100 random bits unless one is given.
///
/// # Errors
/// The reason in words: no randomness, or a password under 12 characters.
pub fn generate_account(
    name: &str,
    role: Role,
    subject: Option<String>,
    password: Option<String>,
) -> Result<NewAccount, String> {
    let password = match password {
        Some(password) if password.chars().count() < 12 => {
            return Err("the password is under 12 characters; take a longer one".into());
        }
        Some(password) => password,
        None => base32(&random::<13>()?)[..20].to_ascii_lowercase(),
    };
    let totp_secret = random::<20>()?.to_vec();
    Ok(NewAccount {
        name: name.to_owned(),
        role,
        subject,
        password_hash: hash_password(&password)?,
        totp_uri: format!(
            "otpauth://totp/Bellgate:{name}?secret={}&issuer=Bellgate",
            base32(&totp_secret)
        ),
        totp_secret,
        password,
    })
}

/// Whether a password is the one of a hash; takes some 30 ms on purpose.
pub fn is_password(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The hash of a password that nobody has, for names that do not exist.
pub const NO_ONES_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The step whose code this is, if it is one of the present and above `last_step`.
///
/// A code is taken once: its step becomes the account's last.
pub fn code_step(secret: &[u8], code: &str, now_ms: i64, last_step: i64) -> Option<i64> {
    let present = now_ms / 1000 / STEP_SECONDS;
    (present - STEPS_AROUND..=present + STEPS_AROUND)
        .filter(|&step| step > last_step)
        .find(|&step| totp(secret, step) == code)
}

/// The six digits of a step (RFC 4226, 5.3, with SHA-1 as authenticators expect).
fn totp(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let number = u32::from_be_bytes([
        tag[offset] & 0x7f,
        tag[offset + 1],
        tag[offset + 2],
        tag[offset + 3],
    ]);
    format!("{:06}", number % 1_000_000)
}

/// Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage).
fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash_password(password: &str) -> Result<String, String> {
    let failed = |_| "the password cannot be hashed; take another one".to_owned();
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    Ok(hasher()
        .hash_password(password.as_bytes(), &salt)
        .map_err(failed)?
        .to_string())
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "the operating system gives no randomness; try again".to_owned())?;
    Ok(bytes)
}

/// Base32 without padding (RFC 4648), as authenticator apps read secrets.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for &byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp(b"12345678901234567890", seconds / 30), code);
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_about_now() {
        let secret = b"12345678901234567890";
        let now_ms = 1_111_111_109_000;
        let step = code_step(secret, "081804", now_ms, 0).unwrap();
        assert_eq!(code_step(secret, "081804", now_ms, step), None);
        assert_eq!(code_step(secret, "081804", now_ms + 29_000, 0), Some(step));
        assert_eq!(code_step(secret, "081804", now_ms + 90_000, 0), None);
        assert_eq!(code_step(secret, "", now_ms, 0), None);
    }

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let account = generate_account("a", Role::It, None, Some("correct horse".into())).unwrap();
        assert!(account.password_hash.starts_with("$argon2id$"));
        assert!(is_password(&account.password_hash, "correct horse"));
        assert!(!is_password(&account.password_hash, "correct horsf"));
        assert!(!is_password(NO_ONES_HASH, ""));
        assert!(PasswordHash::new(NO_ONES_HASH).is_ok());
        assert!(generate_account("a", Role::It, None, Some("short".into())).is_err());
    }

    #[test]
    fn secrets_are_written_in_base32() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"f"), "MY");
    }
}
