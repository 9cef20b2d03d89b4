"""OHIF as its makers publish it on npm, open on a study, and what its engine holds.

OHIF leaves its services and its engine, cornerstone3D, at the window of the page; what is shown and
which values a region has is asked there, while mouse and picture are those of a reader.
"""

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "3.13.2"
PACKAGE = f"@ohif/app@{VERSION}"
INTEGRITY = (
    "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZ"
    "B9E8EA=="
)
CONFIGURATION_PATH = "/app-config.js"
CONFIGURATION = """
window.config = {
  routerBasename: null,
  extensions: [],
  modes: [],
  customizationService: {},
  showStudyList: true,
  maxNumberOfWebWorkers: 2,
  investigationalUseDialog: { option: 'never' },
  strictZSpacingForVolumeViewport: true,
  defaultDataSourceName: 'archive',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'archive',
    configuration: {
      friendlyName: 'archive',
      name: 'archive',
      wadoUriRoot: '/wado',
      qidoRoot: '/dicom-web',
      wadoRoot: '/dicom-web',
      qidoSupportsIncludeField: false,
      imageRendering: 'wadors',
      thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true,
      supportsFuzzyMatching: false,
      supportsWildcard: true,
      omitQuotationForMultipartRequest: true,
      bulkDataURI: { enabled: true },
    },
  }],
};
"""
"""The whole of what a site has to write: where its DICOMweb is."""
_TIMEOUT_MS = 90_000
_HELPERS = """
() => {
  const s = window.services;
  window.viewer = {
    viewport: () => s.cornerstoneViewportService.getCornerstoneViewport(
      s.viewportGridService.getActiveViewportId()),
    set: (number, handler) => s.displaySetService.getActiveDisplaySets().find(
      d => d.SeriesNumber == number && d.SOPClassHandlerId.endsWith(handler || '')),
    image: () => {
      const port = viewer.viewport();
      return port && port.getCurrentImageId && cornerstone.cache.getImage(port.getCurrentImageId());
    },
    canvas: (row, column) => {
      const port = viewer.viewport(), box = port.element.getBoundingClientRect();
      const world = port.getImageData().imageData.indexToWorld([column, row, 0]);
      const [x, y] = port.worldToCanvas(world);
      return [box.left + x, box.top + y];
    },
  };
}
"""


class Ohif:
    """A study open in OHIF."""

    def __init__(self, page: "Page", address: str, study_uid: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(f"{address}/viewer?StudyInstanceUIDs={study_uid}")
        page.wait_for_function("window.services?.displaySetService?.getActiveDisplaySets().length")
        page.evaluate(_HELPERS)
        page.wait_for_function("viewer.viewport()?.getCurrentImageId?.() && viewer.image()")
        page.get_by_text("Skip all").click()

    def series(self) -> dict[int, dict[str, Any]]:
        """Return what OHIF makes of each series, by series number."""
        found = self.page.evaluate(
            "services.displaySetService.getActiveDisplaySets().map(d => ({number: d.SeriesNumber,"
            " modality: d.Modality, n_images: d.numImageFrames ?? 0, is4d: !!d.isDynamicVolume,"
            " unsupported: !!d.unsupported}))"
        )
        return {int(one["number"]): one for one in found}

    def show(self, number: int, *, at: int = 0) -> None:
        """Put a series into the viewport, and wait until image `at` of it is there."""
        self._place(number)
        self.page.wait_for_function(
            "number => viewer.viewport()?.getImageIds?.()"
            ".some(id => cornerstone.metaData.get('instance', id)?.SeriesNumber == number)",
            arg=number,
        )
        self.page.evaluate("at => viewer.viewport().setImageIdIndex(at)", at)
        self.page.wait_for_function(
            "at => viewer.viewport().getCurrentImageIdIndex() == at && viewer.image()", arg=at
        )
        self.settle()

    def overlay(self, number: int) -> None:
        """Put an object that refers to other images (segmentation, float map) over them."""
        self._place(number)
        self.page.wait_for_function("number => viewer.set(number).isLoaded", arg=number)
        self.settle()

    def accept(self) -> None:
        """Say yes to the question that OHIF asks of a segmentation."""
        self.page.get_by_text("Yes", exact=True).click()
        self.page.wait_for_function("viewer.viewport()?.type == 'stack' && viewer.image()")
        self.settle()
        # The map below comes with a window of 50/100 instead of its own.
        self.page.evaluate("commandsManager.runCommand('resetViewport')")
        self.settle()

    def settle(self) -> None:
        """Let the picture be drawn: two frames of the browser, and a little for its fading."""
        self.page.evaluate(
            "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )
        self.page.wait_for_timeout(1500)

    def values(self) -> NDArray[np.float64]:
        """Return the values of the image that is shown. Shape `(row, column)`."""
        rows, columns, values = self.page.evaluate(
            "(i => [i.rows, i.columns, Array.from(i.getPixelData())])(viewer.image())"
        )
        return np.asarray(values, dtype=np.float64).reshape(rows, columns)

    def colours(self, step: int) -> NDArray[np.uint8]:
        """Return every so many-th pixel of the colour image that is shown. Shape `(pixel, 3)`."""
        n_parts, values = self.page.evaluate(
            """step => {
  const image = viewer.image(), data = image.getPixelData(), found = [];
  const parts = data.length / image.rows / image.columns;
  for (let pixel = 0; pixel < image.rows * image.columns; pixel += step)
    found.push(...data.slice(pixel * parts, pixel * parts + 3));
  return [parts, found];
}""",
            step,
        )
        assert n_parts in {3, 4}
        return np.asarray(values, dtype=np.uint8).reshape(-1, 3)

    def instance(self) -> str:
        """Return the SOP instance UID of the image that is shown."""
        return str(
            self.page.evaluate(
                "cornerstone.metaData.get('instance', viewer.viewport().getCurrentImageId())"
                ".SOPInstanceUID"
            )
        )

    def window(self) -> tuple[float, float]:
        """Return the values shown as black and as white."""
        found = self.page.evaluate("viewer.viewport().getProperties().voiRange")
        return float(found["lower"]), float(found["upper"])

    def measure(self, first: tuple[int, int], last: tuple[int, int]) -> dict[str, float]:
        """Draw a rectangle with the mouse, pixel to pixel; return what OHIF writes beside it."""
        self.page.evaluate(
            "commandsManager.runCommand('setToolActiveToolbar', {toolName: 'RectangleROI'})"
        )
        corners = [
            self.page.evaluate("([r, c]) => viewer.canvas(r, c)", list(p)) for p in (first, last)
        ]
        mouse = self.page.mouse
        mouse.move(*corners[0])
        mouse.down()
        mouse.move(*corners[1], steps=5)
        mouse.up()
        self.settle()
        question = self.page.get_by_text("No, do not ask again")
        if question.is_visible():  # whether measurements are to be kept
            question.click()
            self.settle()
        statistics = json.loads(
            self.page.evaluate(
                "JSON.stringify(Object.values(cornerstoneTools.annotation.state.getAllAnnotations()"
                ".findLast(a => a.metadata.toolName == 'RectangleROI').data.cachedStats)[0])"
            )
        )
        return {name: float(statistics[name]) for name in ("mean", "max", "min", "stdDev")}

    def segments(self) -> dict[str, int]:
        """Return the number of voxels of each segment of the newest segmentation, by label."""
        return dict(
            self.page.evaluate(
                """() => {
  const one = services.segmentationService.getSegmentations().at(-1);
  const counts = {};
  const labelmap = one.representationData.Labelmap;
  for (const id of labelmap.imageIds)
    for (const v of cornerstone.cache.getImage(id).getPixelData()) counts[v] = (counts[v] || 0) + 1;
  return Object.values(one.segments).map(s => [s.label, counts[s.segmentIndex] || 0]);
}"""
            )
        )

    def overlaid(self, number: int) -> tuple[list[str], NDArray[np.float64]]:
        """Return the float map that lies over a series, and the images it lies on, in one order."""
        uids, shape, values = self.page.evaluate(
            """number => {
  const set = viewer.set(number), map = cornerstone.cache.getVolume(set.displaySetInstanceUID);
  const below = cornerstone.cache.getVolume(set.getReferencedVolumeId());
  const [columns, rows, slices] = map.dimensions;
  return [below.imageIds.map(id => cornerstone.metaData.get('instance', id).SOPInstanceUID),
    [slices, rows, columns], Array.from(map.voxelManager.getCompleteScalarDataArray())];
}""",
            number,
        )
        return uids, np.asarray(values, dtype=np.float64).reshape(shape)

    def open_document(self, number: int) -> None:
        """Put a document into the viewport; the browser shows it by its own means."""
        self._place(number)
        self.page.wait_for_selector("object[type='application/pdf'], iframe, embed")
        self.page.wait_for_timeout(8000)

    def measurements(self, number: int) -> int:
        """Return how many measurement groups OHIF reads from a structured report."""
        self._place(number)
        self.page.wait_for_function("number => viewer.set(number).isLoaded", arg=number)
        return int(self.page.evaluate("number => viewer.set(number).measurements.length", number))

    def zoom(self, factor: float) -> None:
        """Enlarge what is shown, as the wheel does with its key."""
        self.page.evaluate(
            "factor => { const port = viewer.viewport(); port.setZoom(factor); port.render(); }",
            factor,
        )
        self.settle()

    def forget(self) -> None:
        """Wipe what was drawn, and take segmentations away."""
        self.page.evaluate("cornerstoneTools.annotation.state.removeAllAnnotations()")
        self.page.evaluate(
            "services.segmentationService.getSegmentations().map(s => s.segmentationId)"
            ".forEach(id => services.segmentationService.remove(id))"
        )

    def spread(self, number: int, lower: float, upper: float) -> None:
        """Give the float map that lies over a series a range of values, as the window menu does."""
        self.page.evaluate(
            "([number, lower, upper]) => viewer.viewport().setProperties("
            "{voiRange: {lower, upper}}, viewer.set(number).displaySetInstanceUID)",
            [number, lower, upper],
        )
        self.page.evaluate("viewer.viewport().render()")
        self.settle()

    def whole(self) -> Image.Image:
        """Return what the page shows."""
        return Image.open(BytesIO(self.page.screenshot()))

    def picture(self) -> Image.Image:
        """Return what the viewport shows."""
        box = self.page.evaluate("viewer.viewport().element.getBoundingClientRect().toJSON()")
        clip = {name: box[name] for name in ("x", "y", "width", "height")}
        return Image.open(BytesIO(self.page.screenshot(clip=clip)))

    def _place(self, number: int) -> None:
        self.page.evaluate(
            "number => services.viewportGridService.setDisplaySetsForViewport({viewportId:"
            " services.viewportGridService.getActiveViewportId(),"
            " displaySetInstanceUIDs: [viewer.set(number).displaySetInstanceUID]})",
            number,
        )
