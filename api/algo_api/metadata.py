"""All tables in one place, for migrations and their check."""

from algo_api.audit.models import AuditEntry
from algo_api.auth.models import RefreshToken, User
from algo_api.broker_accounts.models import BrokerAccount, BrokerCredential, BrokerLogin
from algo_api.instruments.models import Instrument, InstrumentLoad
from algo_api.strategies.models import Strategy
from algo_api.streams.models import LedgerEntry
from algo_api.tables import Base
from algo_api.tenants.models import Tenant

TABLES = (
    AuditEntry, RefreshToken, User, BrokerAccount, BrokerCredential, BrokerLogin, Instrument, InstrumentLoad, Strategy,
    LedgerEntry, Tenant,
)  # fmt: skip
METADATA = Base.metadata
