//! The devices that are served, by name: what is looked at and what is changed.

use std::sync::Arc;

use axum::http::StatusCode;
use passline_modbus::point::Point;
use passline_simulator::device::Device as Served;
use passline_simulator::endpoint::{Clock, Endpoint};
use passline_simulator::fault::Seed;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::reply::Refusal;
use crate::language::variables::Scalar;
use crate::record::Json;
use crate::spec::model::{Device, Spec};
use crate::spec::simulate::live;

/// All that is served.
pub(in crate::cli::simulate) struct Bench {
    pub(in crate::cli::simulate) specs: Arc<[Spec]>,
    pub(in crate::cli::simulate) seats: Vec<Seat>,
    pub(in crate::cli::simulate) clock: Clock,
    pub(in crate::cli::simulate) seed: u64,
}

/// A device, and where it is served.
pub(in crate::cli::simulate) struct Seat {
    /// Which of the specs, and which of its devices.
    pub(in crate::cli::simulate) place: (usize, usize),
    pub(in crate::cli::simulate) endpoint: Arc<Endpoint>,
    pub(in crate::cli::simulate) link: String,
    pub(in crate::cli::simulate) url: String,
}

#[derive(Serialize)]
pub(super) struct Listed<'a> {
    device: &'a str,
    unit_id: u8,
    link: &'a str,
    url: &'a str,
    points: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Shown {
    point: String,
    /// `null`: what is there is no value.
    value: Json,
    unit: Option<String>,
}

impl Bench {
    fn device(&self, seat: &Seat) -> Option<&Device> {
        let (spec, device) = seat.place;
        self.specs.get(spec)?.devices.get(device)
    }

    pub(super) fn devices(&self) -> Vec<Listed<'_>> {
        let listed = |seat| {
            let device = self.device(seat)?;
            let mut points: Vec<&str> = device.map.points.keys().map(String::as_str).collect();
            points.sort_unstable();
            let (link, url) = (&*seat.link, &*seat.url);
            Some(Listed { device: &device.name, unit_id: device.unit_id, link, url, points })
        };
        self.seats.iter().filter_map(listed).collect()
    }

    /// Where the device of this name is served.
    pub(super) fn seat(&self, name: &str) -> Result<&Seat, Refusal> {
        let is_it = |seat: &&Seat| self.device(seat).is_some_and(|device| device.name == name);
        let mut seats = self.seats.iter().filter(is_it);
        match (seats.next(), seats.next()) {
            (Some(seat), None) => Ok(seat),
            (None, _) => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!("there is no device {name:?}"),
                "see /devices for those that there are",
            )),
            (Some(_), Some(_)) => Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("several specs have a device {name:?}"),
                "simulate them one at a time, or rename one",
            )),
        }
    }

    /// The point of this name, such as `meter.level`.
    pub(super) fn point(&self, name: &str) -> Result<(&Seat, Arc<Point>), Refusal> {
        let (device, point) = name.split_once('.').ok_or_else(|| {
            let error = format!("{name:?} does not name a point");
            Refusal::new(StatusCode::NOT_FOUND, error, "write DEVICE.POINT: meter.level")
        })?;
        let seat = self.seat(device)?;
        let found = self.device(seat).and_then(|device| device.map.points.get(point));
        let found = found.ok_or_else(|| {
            let error = format!("the device {device:?} has no point {point:?}");
            Refusal::new(StatusCode::NOT_FOUND, error, "see /devices for those that it has")
        })?;
        Ok((seat, Arc::clone(found)))
    }

    /// Looks at or changes what is served.
    pub(super) fn with<R>(
        &self,
        seat: &Seat,
        look: impl FnOnce(&mut Served) -> R,
    ) -> Result<R, Refusal> {
        let unit = self.device(seat).map(|device| device.unit_id);
        unit.and_then(|unit| seat.endpoint.with_device(unit, look)).ok_or_else(|| {
            Refusal::new(StatusCode::GONE, "it is not served any more", "start the simulator anew")
        })
    }

    pub(super) fn value(&self, seat: &Seat, point: &Point) -> Result<Shown, Refusal> {
        let model = self.device(seat);
        let elapsed = self.clock.elapsed(Instant::now());
        let value = self.with(seat, |served| {
            served.show(elapsed);
            model.and_then(|model| live::value(model, served.image(), point))
        })?;
        Ok(Shown {
            point: format!("{}.{}", model.map_or("", |model| &model.name), point.name()),
            value: value.as_ref().map_or_else(Json::null, Json::from),
            unit: point.unit().map(str::to_owned),
        })
    }

    pub(super) fn set(&self, seat: &Seat, point: &Point, value: Scalar) -> Result<(), Refusal> {
        let model = self.device(seat);
        let elapsed = self.clock.elapsed(Instant::now());
        let set = self.with(seat, |served| {
            served.advance(elapsed);
            let model = model.ok_or_else(|| "it is not there".to_owned())?;
            live::set(model, served.image_mut(), point, value)
        })?;
        set.map_err(|error| {
            let remedy = "send a value that the point's registers can hold";
            let error = format!("{} cannot be that: {error}", point.name());
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error, remedy)
        })
    }

    /// Adds a fault; its word.
    pub(super) fn fire(&self, seat: &Seat, text: &str) -> Result<&'static str, Refusal> {
        let refused = |error: &str, remedy: &str| {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error, remedy)
        };
        let model =
            self.device(seat).ok_or_else(|| refused("it is not there", "look at /devices"))?;
        let fault = live::fault(model, text).map_err(|error| {
            let remedy = "send a fault as specs have it: {\"fault\": \"delay\", \"by\": \"50ms\"}";
            refused(&error, remedy)
        })?;
        let word = fault.kind.word();
        let seed = Seed::of_device(self.seed, &model.name);
        self.with(seat, |served| served.add_fault(fault, seed))?;
        Ok(word)
    }

    pub(super) fn time(&self) -> Value {
        let elapsed = self.clock.elapsed(Instant::now()).as_millis();
        json!({
            "elapsed_ms": u64::try_from(elapsed).unwrap_or(u64::MAX),
            "scale": self.clock.scale(),
            "paused": self.clock.is_paused(),
        })
    }

    pub(super) fn pause(&self, paused: bool) {
        self.clock.pause(Instant::now(), paused);
    }
}
