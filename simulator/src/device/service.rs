//! Services that were written for the servers of tokio-modbus, as devices.

use std::sync::Arc;

use passline_modbus::pdu::Request;
use tokio_modbus::SlaveRequest;
use tokio_modbus::server::Service;

use super::Device;

/// What a service takes: the request alone, or with the unit id that it was for.
pub trait ServiceRequest: sealed::OfBoth {}

impl ServiceRequest for Request<'static> {}
impl ServiceRequest for SlaveRequest<'static> {}

mod sealed {
    use super::{Request, SlaveRequest};

    pub trait OfBoth {
        fn new(unit_id: u8, request: Request<'static>) -> Self;
    }

    impl OfBoth for Request<'static> {
        fn new(_: u8, request: Request<'static>) -> Self {
            request
        }
    }

    impl OfBoth for SlaveRequest<'static> {
        fn new(unit_id: u8, request: Request<'static>) -> Self {
            Self { slave: unit_id, request }
        }
    }
}

impl Device {
    /// A device for which this service answers, as it would in a server of tokio-modbus: see
    /// [`Self::answering`]. What the service cannot do it says with an exception; a response of
    /// `None` is silence.
    pub fn hosting<S>(service: S) -> Self
    where
        S: Service + Send + Sync + 'static,
        S::Request: ServiceRequest,
    {
        let service = Arc::new(service);
        Self::answering(move |unit_id, request| {
            let service = Arc::clone(&service);
            async move {
                let request = <S::Request as sealed::OfBoth>::new(unit_id, request);
                match service.call(request).await {
                    Ok(response) => response.into().map(Ok),
                    Err(exception) => Some(Err(exception.into())),
                }
            }
        })
    }
}
