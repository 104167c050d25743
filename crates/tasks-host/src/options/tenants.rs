//! Tenants of the configuration: the tables `[tenants.NAME]`.

use figment::value::Value;
use tasks_multitenancy::{InMemoryTenantStore, TenantId, TenantInfo, TenantListError};

use super::read::{Reader, flag_of, text_of};

/// The table with a table for each tenant.
pub(super) const TABLE: &str = "tenants";

/// Reads every tenant. Faults within one are noted; whether they go together is for [`listed`] to say.
pub(super) fn read(reader: &mut Reader<'_>, tenants: &mut Vec<TenantInfo>) {
    for (name, table) in reader.tables(TABLE) {
        let mut tenant = TenantInfo::new(TenantId::from_name(&name), name.clone());
        for (field, value) in table {
            let path = format!("{TABLE}.{name}.{field}");
            match field.as_str() {
                "name" => reader.entry(&path, &value, &mut tenant.name, text_of),
                "id" => reader.entry(&path, &value, &mut tenant.id, id_of),
                "active" => reader.entry(&path, &value, &mut tenant.is_active, flag_of),
                // Reported with all other names that mean nothing.
                _ => {}
            }
        }
        tenants.push(tenant);
    }
}

/// The store of these tenants, and why some are not in it.
pub(crate) fn listed(tenants: &[TenantInfo]) -> (InMemoryTenantStore, Vec<TenantListError>) {
    let mut store = InMemoryTenantStore::default();
    let faults = tenants.iter().filter_map(|it| store.insert(it.clone()).err());
    let faults = faults.collect();
    (store, faults)
}

fn id_of(value: &Value) -> Result<TenantId, String> {
    let text = text_of(value)?;
    text.parse()
        .map_err(|error: tasks_multitenancy::ParseTenantIdError| format!("`{text}`: {error}"))
}
