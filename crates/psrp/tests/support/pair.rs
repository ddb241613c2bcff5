//! A client and a server that talk in memory.

use winrm_clixml::PsValue;
use winrm_psrp::message::{CreatePipeline, PowerShell};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Error, client, server};

/// Cuts messages in several places.
pub const SIZE: usize = 300;

pub struct Pair {
    pub client: client::RunspacePool,
    pub server: server::RunspacePool,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(client::Config::default(), server::Config::default())
    }

    pub fn with(client: client::Config, server: server::Config) -> Self {
        Self {
            client: client::RunspacePool::new(Uuid::from_u128(1), client),
            server: server::RunspacePool::new(server),
        }
    }

    /// A pool that is open.
    pub fn opened() -> Self {
        let mut pair = Self::new();
        pair.open();
        pair
    }

    pub fn open(&mut self) {
        self.client.open().unwrap();
        assert_eq!(self.serve().unwrap().len(), 2);
        self.server.accept(PsValue::Nil).unwrap();
        assert_eq!(self.answer().unwrap().len(), 3);
    }

    /// A pipeline that runs on both sides.
    pub fn pipeline(&mut self, number: u128) -> Uuid {
        let id = Uuid::from_u128(number);
        let pipeline = CreatePipeline::new(PowerShell::script("$input")).with_input();
        self.client.create_pipeline(id, pipeline).unwrap();
        assert_eq!(self.serve().unwrap().len(), 1);
        id
    }

    /// Carries all that waits to the server.
    pub fn serve(&mut self) -> Result<Vec<server::Event>, Error> {
        let mut events = Vec::new();
        while let Some(sent) = self.client.poll_transmit(SIZE)? {
            let mut rest = sent.payload.as_slice();
            while let Some(event) = self.server.handle_data(sent.carrier.pipeline(), &mut rest)? {
                events.push(event);
            }
        }
        Ok(events)
    }

    /// Carries all that waits to the client.
    pub fn answer(&mut self) -> Result<Vec<client::Event>, Error> {
        let mut events = Vec::new();
        while let Some(sent) = self.server.poll_transmit(SIZE)? {
            let mut rest = sent.payload.as_slice();
            while let Some(event) = self.client.handle_data(sent.carrier.pipeline(), &mut rest)? {
                events.push(event);
            }
        }
        Ok(events)
    }
}
