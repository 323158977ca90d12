//! `bellgate staff`: who may sign in to the staff pages, and as what.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use bellgate_server::staff::{Role, generate_account};

use crate::store::{find_tenant, open, wait_for};

/// Adds, lists and removes those who may sign in to the staff pages.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Adds an account and prints its secrets, this once, as a line of JSON.
    Add {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// The school.
        #[arg(long, value_name = "ID", default_value = "school")]
        tenant: String,
        /// The name to sign in with, such as an e-mail address.
        #[arg(long)]
        name: String,
        /// headteacher, leadership, dsl, dsl-sixth-form, it, governor or teacher.
        #[arg(long)]
        role: String,
        /// How events would name this person, who then never sees those.
        #[arg(long)]
        subject: Option<String>,
        /// Takes the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Every account with its role and last use.
    List {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// JSON lines instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Removes an account and ends its sign-ins.
    Remove {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// The school.
        #[arg(long, value_name = "ID", default_value = "school")]
        tenant: String,
        /// The account's name.
        #[arg(long)]
        name: String,
    },
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    wait_for(act(arguments.action))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(action: Action) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match action {
        Action::Add {
            database,
            tenant,
            name,
            role,
            subject,
            password_stdin,
        } => {
            let role = read_role(&role)?;
            if name.is_empty() || name.len() > 254 || name.chars().any(char::is_whitespace) {
                bail!("the name `{name}` has spaces or is too long; take an e-mail address");
            }
            let password = password_stdin.then(read_password).transpose()?;
            let account = generate_account(&name, role, subject, password)
                .map_err(|reason| anyhow!(reason))?;
            let store = open(&database).await?;
            let tenant = find_tenant(&store, &tenant).await?;
            let added = store.add_account(tenant, &account).await?;
            store.close().await;
            if !added {
                bail!("`{name}` has an account already; remove it first");
            }
            let secrets = serde_json::json!({
                "name": name,
                "role": role.as_str(),
                "password": (!password_stdin).then_some(&account.password),
                "totp": account.totp_uri,
            });
            writeln!(out, "{secrets}")?;
        }
        Action::List { database, json } => {
            let store = open(&database).await?;
            for account in store.accounts().await? {
                if json {
                    writeln!(out, "{}", serde_json::to_string(&account)?)?;
                } else {
                    writeln!(
                        out,
                        "{:16} {:32} {:15} {}",
                        account.tenant,
                        account.name,
                        account.role,
                        account.last_used_at.as_deref().unwrap_or("never used"),
                    )?;
                }
            }
        }
        Action::Remove {
            database,
            tenant,
            name,
        } => {
            let store = open(&database).await?;
            let tenant = find_tenant(&store, &tenant).await?;
            let removed = store.remove_account(tenant, &name).await?;
            store.close().await;
            if !removed {
                bail!("`{name}` has no account there; `bellgate staff list` names them");
            }
        }
    }
    Ok(())
}

fn read_role(name: &str) -> anyhow::Result<Role> {
    Role::from_name(name).with_context(|| {
        let names: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        format!("unknown role `{name}`; take one of {}", names.join(", "))
    })
}

fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("the password cannot be read from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
